// The content-addressed store: blobs named by their SHA-256, and directories as blobs that list their files' digests.
// It knows nothing of steps. What is in the store is complete: everything arrives by one rename.

internal import CLinux
internal import Glibc
public import Hashing
import JSON

/// A published output: a file, or a directory by its listing.
public struct Artifact: Sendable, Hashable {
  public let digest: Digest
  public let form: Output.Form
  /// A file that its owner may run: part of what it is, as in Git. Of a directory, its listing says that of each file.
  public let isExecutable: Bool

  var json: JSON {
    var json: JSON = ["digest": .string(digest.hex), "form": .string(form.rawValue)]
    if isExecutable { json["executable"] = true }
    return json
  }

  /// Tells it from any other content, in 64 digits and a mark.
  var name: String { isExecutable ? digest.hex + "+x" : digest.hex }

  init(digest: Digest, form: Output.Form, isExecutable: Bool = false) { (self.digest, self.form, self.isExecutable) = (digest, form, isExecutable) }

  init?(json: JSON) {
    guard let digest = json["digest"]?.string.flatMap({ Digest(hex: $0) }), let form = json["form"]?.string.flatMap(Output.Form.init) else {
      return nil
    }
    let mark = json["executable"]
    guard mark == nil || (mark == true && form != .directory) else { return nil }
    self.init(digest: digest, form: form, isExecutable: mark != nil)
  }
}

public struct Store {
  let root: String
  let views: String
  let spares: Spares
  private let proof = Proof()

  init(state: String) throws {
    root = state + "/store"
    views = state + "/views"
    spares = Spares(root: state + "/work")
    try Files.makeDirectory(root)
  }

  func path(of digest: Digest) -> String {
    let hex = digest.hex
    return root + "/" + hex.prefix(2) + "/" + hex.dropFirst(2)
  }

  /// The blobs and all directories that have to be on the disk for them to be found.
  func places(of blobs: [Digest]) -> [String] {
    let files = blobs.map(path)
    return files + files.compactMap(Files.parent) + (files.isEmpty ? [] : [root])
  }

  /// A file of a directory.
  struct Entry: Equatable {
    let path: String
    let digest: Digest
    let isExecutable: Bool
  }

  /// What adding would give, without adding.
  static func artifact(at path: String, form: Output.Form, look: (String) throws -> FileDigests.Entry) throws -> Artifact {
    guard form == .directory else {
      let entry = try look(path)
      return Artifact(digest: entry.digest, form: form, isExecutable: entry.stamp.isExecutable)
    }
    let entries = try Files.walk(path).map { name in
      let entry = try look(path + "/" + name)
      return Entry(path: name, digest: entry.digest, isExecutable: entry.stamp.isExecutable)
    }
    return Artifact(digest: Digest(of: listing(entries)), form: form)
  }

  /// Format 1 knows no executable files, and is written where there are none.
  static func listing(_ entries: [Entry]) -> String {
    let files = entries.map { entry in
      JSON.array([.string(entry.path), .string(entry.digest.hex)] + (entry.isExecutable ? ["x"] : []))
    }
    return (["tree": .integer(entries.contains(where: \.isExecutable) ? 2 : 1), "files": .array(files)] as JSON).canonical
  }

  // MARK: Reading

  func has(_ artifact: Artifact) -> Bool {
    guard Files.exists(path(of: artifact.digest)) else { return false }
    guard artifact.form == .directory else { return true }
    return (try? entries(of: artifact))?.allSatisfy { Files.exists(path(of: $0.digest)) } ?? false
  }

  /// Which blobs are known to have the bytes that their names say: this process made them, or has read them.
  private final class Proof {
    var whole: Set<Digest> = []
  }

  func prove(_ digest: Digest) { proof.whole.insert(digest) }

  /// Whether a blob is whole; one that is not is removed.
  func isWhole(_ digest: Digest) -> Bool {
    if proof.whole.contains(digest) { return true }
    guard holds(digest) else {
      unlink(path(of: digest))
      return false
    }
    prove(digest)
    return true
  }

  static func damaged(_ what: String, _ code: ExitCode = .stepFailed) -> Problem {
    Problem(code, "\(what) is damaged, and was removed", hint: "run again: it is made anew")
  }

  func isWhole(_ artifact: Artifact) -> Bool {
    guard isWhole(artifact.digest) else { return false }
    guard artifact.form == .directory, let entries = try? entries(of: artifact) else { return true }
    // Each of them, so that all that is damaged goes at once.
    return entries.map { isWhole($0.digest) }.allSatisfy { $0 }
  }

  /// The files of a directory artifact.
  func entries(of artifact: Artifact) throws -> [Entry] {
    let file = path(of: artifact.digest)
    let text = try Files.read(file)
    guard Digest(of: text) == artifact.digest, let entries = Self.entries(in: text) else {
      throw Problem(.inputOutput, "\(file) is damaged", hint: "delete it and run again")
    }
    return entries
  }

  /// The entries of a listing; nil if it is none that a store writes, or names files elsewhere.
  static func entries(in text: [UInt8]) -> [Entry]? {
    guard let files = (try? JSON(parsing: text))?["files"]?.array else { return nil }
    var entries: [Entry] = []
    var directories: Set<Substring> = []
    for file in files {
      guard let count = file.array?.count, count == 2 || (count == 3 && file[2] == "x"),
        let path = file[0]?.string, let digest = file[1]?.string.flatMap({ Digest(hex: $0) }),
        entries.last.map({ $0.path.utf8.lexicographicallyPrecedes(path.utf8) }) ?? true, !path.utf8.contains(0),
        path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy({ !["", ".", ".."].contains($0) })
      else { return nil }
      var parent = path[...]
      while let slash = parent.lastIndex(of: "/") {
        parent = parent[..<slash]
        if !directories.insert(parent).inserted { break }
      }
      entries.append(Entry(path: path, digest: digest, isExecutable: count == 3))
    }
    return entries.contains { directories.contains($0.path[...]) } || !listing(entries).utf8.elementsEqual(text) ? nil : entries
  }

  func read(_ artifact: Artifact) throws -> [UInt8] {
    let bytes = try Files.read(path(of: artifact.digest))
    guard Digest(of: bytes) == artifact.digest else {
      unlink(path(of: artifact.digest))
      throw Self.damaged("a stored output")
    }
    return bytes
  }

  func value(_ artifact: Artifact) throws -> JSON {
    do { return try JSON(parsing: try read(artifact)) } catch is JSONSyntaxError {
      throw Problem(.stepFailed, "an output that must be a JSON value is not JSON (\(path(of: artifact.digest)))")
    }
  }

  /// A read-only copy for steps to read, at `views/DIGEST/NAME`, of what can be run at `views/DIGEST+x/NAME`.
  func view(_ artifact: Artifact, name: String) throws -> String {
    let directory = views + "/" + artifact.name
    let path = directory + "/" + name
    if Files.exists(path) { return path }
    let temporary = path + ".tmp\(getpid())"
    guard isWhole(artifact) else { throw Self.damaged("what is stored of its input '\(name)'") }
    try write(artifact, to: temporary, fileMode: 0o444)
    try Files.move(temporary, to: path)
    return path
  }

  /// Copies the artifact out, replacing what is there by one rename. The copies belong to the user.
  /// Returns the stamp of a published file: its modification time lies a tick back, so that any later write shows.
  @discardableResult
  func publish(_ artifact: Artifact, to path: String) throws -> FileStamp? {
    let mode = Self.mode(0o644, artifact.isExecutable)
    if artifact.form != .directory, let spare = spares.take(artifact.digest), let stamp = Files.give(spare, to: path, mode: mode) { return stamp }
    let temporary = path + ".tmp\(getpid())"
    let before: FileStamp?
    if artifact.form == .directory {
      Files.removeTree(temporary)
      try write(artifact, to: temporary, fileMode: 0o644)
      before = nil
    } else {
      before = try Files.copy(self.path(of: artifact.digest), to: temporary, mode: mode, backdated: true)
    }
    if rename(temporary, path) != 0 {
      let failure = errno
      if failure == EISDIR, try holdsForeign(path) {
        unlink(temporary)
        throw Problem(
          .inputOutput, "cannot publish '\(Files.display(path))': a directory is there, with files that no step made",
          hint: "move it away, or let the step write elsewhere")
      }
      // A directory cannot be renamed onto another, nor a file onto a directory; the two change places.
      guard [EISDIR, ENOTDIR, ENOTEMPTY, EEXIST].contains(failure), enpire_exchange(temporary, path) == 0 else { throw Files.problem("write", path) }
      Files.removeTree(temporary)
    }
    guard let before, let after = FileStamp(of: path) else { return nil }
    return before.isSameContent(as: after) ? after : nil
  }

  /// Whether a directory has files whose content is nowhere in the store.
  private func holdsForeign(_ directory: String) throws -> Bool {
    try Files.walk(directory).contains { !Files.exists(self.path(of: try hashFile(directory + "/" + $0))) }
  }

  private func write(_ artifact: Artifact, to target: String, fileMode: mode_t) throws {
    guard artifact.form == .directory else {
      try Files.copy(path(of: artifact.digest), to: target, mode: Self.mode(fileMode, artifact.isExecutable))
      return
    }
    try Files.makeDirectory(target)
    for entry in try entries(of: artifact) {
      try Files.copy(path(of: entry.digest), to: target + "/" + entry.path, mode: Self.mode(fileMode, entry.isExecutable))
    }
  }

  /// The permissions of a copy, for everybody as its owner may.
  static func mode(_ mode: mode_t, _ isExecutable: Bool) -> mode_t { isExecutable ? mode | 0o111 : mode }

  /// Everything written so far is on the disk when this returns.
  func sync() {
    let descriptor = open(root, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = enpire_syncfs(descriptor)
    close(descriptor)
  }
}

/// SHA-256 of a file's bytes.
func hashFile(_ path: String) throws -> Digest {
  let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  guard descriptor >= 0 else { throw Files.problem("read", path) }
  defer { close(descriptor) }
  return try hash(descriptor, path)
}

func hash(_ descriptor: Int32, _ path: String) throws -> Digest {
  var hasher = SHA256()
  // Most files are small, and so much stands on the stack.
  var size = 1024
  while true {
    let count = try withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { buffer in
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0 { throw Files.problem("read", path) }
      hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      return count
    }
    if count == 0 { return hasher.finish() }
    if count == size { size = 1 << 18 }
  }
}
