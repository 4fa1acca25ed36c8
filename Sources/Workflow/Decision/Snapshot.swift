// What the last run of some goals found, as one memory-mapped file: every file that its verdicts rest on with its stamp, and which
// declarations read or publish it. A run that finds all stamps as they were has nothing to do and reads nothing else; one that finds a few
// files changed takes the declarations that depend on them. The file is disposable: whatever is wrong with it, the manifest is read instead.

internal import Glibc
internal import Hashing

struct Snapshot {
  /// What the verdicts rest on.
  struct Watch {
    /// Where the path starts among the strings; it ends with a zero byte. Relative to the manifest's directory.
    var path: UInt32
    var kind: UInt32
    var stamp: FileStamp
    /// Not zero: equal stamps mean equal content.
    var isTrusted: UInt32
    /// Of the content; of a pattern's or directory's names.
    var digest: Digest

    /// `kind`, of a snapshot that was found sound.
    var what: Kind { Kind(rawValue: kind)! }

    enum Kind: UInt32 {
      /// The manifest or another file that says what the steps are.
      case configuration
      /// An input, or an output in the store.
      case file
      /// The names that a pattern matches.
      case pattern
      /// The paths of all files below a directory.
      case directory
      /// The appended steps' files.
      case appended
      /// A published output.
      case output

      var isOfNames: Bool { self == .pattern || self == .directory || self == .appended }
    }
  }

  struct Declaration {
    /// The watched file it stands in, and where: from the name's first quote to the end of the value; an appended step has its file alone.
    var source: UInt32
    var length: UInt32
    var offset: UInt64
    /// Where its name starts among the strings.
    var name: UInt32
    /// Not zero: not up to date when the run ended.
    var isOpen: UInt32
    /// Of its text; 0 of an appended step.
    var mark: UInt64
  }

  /// An output that a step of a declaration gave; of a step without outputs, the step alone.
  struct Result {
    /// Where the names of the step, of the output and of its file start among the strings; 0: no output.
    var step: UInt32
    var output: UInt32
    var file: UInt32
    /// The watched file that has its digest.
    var watch: UInt32
    var form: UInt16
    /// Not zero: its owner may run it.
    var isExecutable: UInt16
  }

  enum Flags {
    /// A few declarations can be taken without the others.
    static let separable: UInt32 = 1
    /// Every declaration of the manifest is in it.
    static let complete: UInt32 = 2
  }

  /// Format of the file, part of its first word. Layouts of this machine's records count too.
  private static let magic: UInt64 =
    0x656e_7069_7265_0003 ^ UInt64(MemoryLayout<Watch>.stride) << 20 ^ UInt64(MemoryLayout<Declaration>.stride) << 32
  private static let headerSize = 256
  private static let alignment = 64
  /// Words of the header after those of the sections.
  private static let words = (skipped: 26, defaults: 27)

  private let mapping: Mapping
  /// Tells it from any other.
  let id: UInt64
  let flags: UInt32
  /// Steps that were wanted, for the summary.
  let steps: Int
  /// How many of them a condition skipped.
  let skipped: Int
  /// Where the manifest's own goals start among the strings, as they are written.
  let defaults: UInt32
  /// JSON: for which program, manifest, goals and variables this is.
  let identity: UnsafeBufferPointer<UInt8>
  /// The manifest's members beside `steps` and `default`.
  let header: UnsafeBufferPointer<UInt8>
  let strings: UnsafeBufferPointer<UInt8>
  let watches: UnsafeBufferPointer<Watch>
  let declarations: UnsafeBufferPointer<Declaration>
  /// Declarations that each one needs, and watches that each one reads or publishes: rows `start[i]..<start[i + 1]`.
  let needs: Rows<UInt32>
  let files: Rows<UInt32>
  /// What each one gave, step by step, if others can read that without reading the declaration; else nothing.
  let results: Rows<Result>

  struct Rows<Value> {
    let starts: UnsafeBufferPointer<UInt32>
    let values: UnsafeBufferPointer<Value>
    subscript(row: Int) -> Slice<UnsafeBufferPointer<Value>> { values[Int(starts[row])..<Int(starts[row + 1])] }

    fileprivate func isSound(rows: Int, _ isValid: (Value) -> Bool) -> Bool {
      guard starts.count == rows + 1, starts[0] == 0, Int(starts[rows]) == values.count else { return false }
      for row in 0..<rows where starts[row] > starts[row + 1] { return false }
      return values.allSatisfy(isValid)
    }
  }

  /// Maps the file; nil if there is none or anything in it is not as it must be.
  init?(path: String) {
    guard let mapping = Mapping(path: path), mapping.bytes.count >= Self.headerSize else { return nil }
    let bytes = mapping.bytes
    func word(_ index: Int) -> UInt64 { bytes.load(fromByteOffset: 8 * index, as: UInt64.self) }
    guard word(0) == Self.magic, word(1) == UInt64(bytes.count), bytes.count % 8 == 0,
      word(2) == Self.checksum(UnsafeRawBufferPointer(rebasing: bytes[24...]))
    else { return nil }
    var isSound = true
    func section<Element>(_ index: Int, _: Element.Type) -> UnsafeBufferPointer<Element> {
      let (offset, count) = (word(4 + 2 * index), word(5 + 2 * index))
      guard offset >= UInt64(Self.headerSize), offset % UInt64(Self.alignment) == 0, offset <= UInt64(bytes.count),
        count <= (UInt64(bytes.count) - offset) / UInt64(MemoryLayout<Element>.stride)
      else {
        isSound = false
        return UnsafeBufferPointer(start: nil, count: 0)
      }
      return UnsafeBufferPointer(start: (bytes.baseAddress! + Int(offset)).assumingMemoryBound(to: Element.self), count: Int(count))
    }
    self.mapping = mapping
    id = word(2)
    flags = UInt32(truncatingIfNeeded: word(3))
    steps = Int(word(3) >> 32)
    skipped = Int(truncatingIfNeeded: word(Self.words.skipped))
    defaults = UInt32(truncatingIfNeeded: word(Self.words.defaults))
    identity = section(0, UInt8.self)
    header = section(1, UInt8.self)
    strings = section(2, UInt8.self)
    watches = section(3, Watch.self)
    declarations = section(4, Declaration.self)
    needs = Rows(starts: section(5, UInt32.self), values: section(6, UInt32.self))
    files = Rows(starts: section(7, UInt32.self), values: section(8, UInt32.self))
    results = Rows(starts: section(9, UInt32.self), values: section(10, Result.self))
    guard isSound, word(Self.words.skipped) <= word(3) >> 32, strings.last == 0, word(Self.words.defaults) < UInt64(strings.count),
      watches.allSatisfy({ Int($0.path) < strings.count && Watch.Kind(rawValue: $0.kind) != nil }),
      declarations.allSatisfy({ Int($0.source) < watches.count && Int($0.name) < strings.count && $0.offset < 1 << 40 }),
      needs.isSound(rows: declarations.count, { Int($0) < declarations.count }), files.isSound(rows: declarations.count, { Int($0) < watches.count }),
      results.isSound(
        rows: declarations.count,
        {
          Int(max($0.step, $0.output, $0.file)) < strings.count && ($0.output == 0 || Int($0.watch) < watches.count)
            && Output.Form(code: $0.form) != nil
        })
    else { return nil }
  }

  /// The zero-terminated string at an offset.
  func pointer(_ offset: UInt32) -> UnsafePointer<CChar> {
    UnsafeRawPointer(strings.baseAddress! + Int(offset)).assumingMemoryBound(to: CChar.self)
  }

  func string(_ offset: UInt32) -> String { String(cString: pointer(offset)) }

  // MARK: Writing

  /// The parts of a snapshot that is being made.
  struct Draft {
    var flags: UInt32 = 0
    var steps = 0
    var skipped = 0
    var defaults: UInt32 = 0
    var identity: [UInt8] = []
    var header: [UInt8] = []
    var strings: [UInt8] = [0]
    var watches: [Watch] = []
    var declarations: [Declaration] = []
    var needs = RowsDraft<UInt32>()
    var files = RowsDraft<UInt32>()
    var results = RowsDraft<Result>()

    init() {}

    /// A copy of a snapshot, to be changed.
    init(_ snapshot: Snapshot) {
      flags = snapshot.flags
      steps = snapshot.steps
      skipped = snapshot.skipped
      defaults = snapshot.defaults
      identity = Array(snapshot.identity)
      header = Array(snapshot.header)
      strings = Array(snapshot.strings)
      watches = Array(snapshot.watches)
      declarations = Array(snapshot.declarations)
      needs = RowsDraft(snapshot.needs)
      files = RowsDraft(snapshot.files)
      results = RowsDraft(snapshot.results)
    }

    func string(_ offset: UInt32) -> String { String(decoding: strings[Int(offset)...].prefix { $0 != 0 }, as: UTF8.self) }

    mutating func add(_ text: String) -> UInt32 {
      defer { strings += Array(text.utf8) + [0] }
      return UInt32(strings.count)
    }

    /// Writes it beside its name and moves it there.
    func write(to path: String) throws {
      // What a crash left half-written; whoever writes here has the lock.
      let directory = Files.parent(of: path)!
      for name in Files.list(directory) where name.contains(".tmp") { unlink(directory + "/" + name) }
      var head = [UInt64](repeating: 0, count: Snapshot.headerSize / 8)
      head[3] = UInt64(flags) | UInt64(steps) << 32
      head[Snapshot.words.skipped] = UInt64(skipped)
      head[Snapshot.words.defaults] = UInt64(defaults)
      var (word, end) = (4, Snapshot.headerSize)
      eachSection { bytes, count in
        (head[word], head[word + 1]) = (UInt64(end), UInt64(count))
        (word, end) = (word + 2, end + Snapshot.aligned(bytes.count))
      }
      (head[0], head[1]) = (Snapshot.magic, UInt64(end))
      try Files.replace(path) { file in
        var sum = Checksum(), isWritten = head.withUnsafeBytes { Files.append($0, to: file) }
        head[3...].withUnsafeBytes { sum.add($0) }
        let padding = [UInt8](repeating: 0, count: Snapshot.alignment)
        eachSection { bytes, _ in
          let whole = bytes.count & ~7
          let rest = Array(bytes[whole...]) + padding.prefix(Snapshot.aligned(bytes.count) - bytes.count)
          sum.add(UnsafeRawBufferPointer(rebasing: bytes[..<whole]))
          rest.withUnsafeBytes { rest in
            sum.add(rest)
            isWritten = isWritten && Files.append(UnsafeRawBufferPointer(rebasing: bytes[..<whole]), to: file) && Files.append(rest, to: file)
          }
        }
        return isWritten && withUnsafeBytes(of: sum.value) { pwrite(file, $0.baseAddress, 8, 16) == 8 }
      }
    }

    /// The sections in their order, with the number of their elements.
    private func eachSection(_ body: (UnsafeRawBufferPointer, Int) -> Void) {
      func give<Element>(_ array: [Element]) { array.withUnsafeBytes { body($0, array.count) } }
      give(identity)
      give(header)
      give(strings)
      give(watches)
      give(declarations)
      give(needs.starts)
      give(needs.values)
      give(files.starts)
      give(files.values)
      give(results.starts)
      give(results.values)
    }
  }

  struct RowsDraft<Value> {
    var starts: [UInt32] = [0]
    var values: [Value] = []

    init() {}
    init(_ rows: Rows<Value>) { (starts, values) = (Array(rows.starts), Array(rows.values)) }

    private func range(_ row: Int) -> Range<Int> { Int(starts[row])..<Int(starts[row + 1]) }
    subscript(row: Int) -> ArraySlice<Value> { values[range(row)] }

    /// Puts rows in place of old ones or behind the last; all new ones have to be there.
    mutating func put(_ rows: [Int: [Value]], count: Int) {
      if count == starts.count - 1, rows.allSatisfy({ $1.count == range($0).count }) {
        for (row, values) in rows { self.values.replaceSubrange(range(row), with: values) }
        return
      }
      let old = self
      (starts, values) = ([0], [])
      for row in 0..<count {
        if let new = rows[row] { values += new } else { values += old[row] }
        starts.append(UInt32(values.count))
      }
    }
  }

  private static func aligned(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

  /// Writes the first three words: format, length and checksum of the rest.
  static func seal(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { bytes in
      for (index, word) in [magic, UInt64(bytes.count), checksum(UnsafeRawBufferPointer(rebasing: bytes[24...]))].enumerated() {
        bytes.storeBytes(of: word, toByteOffset: 8 * index, as: UInt64.self)
      }
    }
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var sum = Checksum()
    sum.add(bytes)
    return sum.value
  }

  /// Of words; any changed bit changes it.
  private struct Checksum {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ words: UnsafeRawBufferPointer) {
      for offset in stride(from: 0, to: words.count & ~7, by: 8) {
        value = (value ^ words.load(fromByteOffset: offset, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
        value ^= value >> 29
      }
    }
  }
}

/// A file in memory, read only.
final class Mapping {
  let bytes: UnsafeRawBufferPointer

  init?(path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size > 0,
      let start = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0), start != MAP_FAILED
    else { return nil }
    bytes = UnsafeRawBufferPointer(start: start, count: Int(status.st_size))
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}

extension Output.Form {
  private static let all: [Output.Form] = [.file, .directory, .value]

  /// How a snapshot has it.
  var code: UInt16 { UInt16(Self.all.firstIndex(of: self)!) }

  init?(code: UInt16) {
    guard code < Self.all.count else { return nil }
    self = Self.all[Int(code)]
  }
}
