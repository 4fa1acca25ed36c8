// The file system, by system calls: what the engine needs and no more, without Foundation, so that `enpire` starts fast.
// Every failure is a Problem that names the path and says what the system said.

internal import CLinux
internal import Glibc

enum Files {
  static func problem(_ verb: String, _ path: String, _ code: Int32 = errno) -> Problem {
    let reason = String(cString: strerror(code))
    let hint: String? =
      switch code {
      case ENOSPC, EDQUOT: "free some space and run again; what was finished is kept"
      case EACCES, EPERM, EROFS: "check who owns it"
      default: nil
      }
    let isInput = verb == "read" && [ENOENT, ENOTDIR, EACCES, EPERM, EISDIR, ELOOP].contains(code)
    return Problem(isInput ? .missingInput : .inputOutput, "cannot \(verb) \(path): \(reason)", hint: hint)
  }

  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw problem("read", path) }
    defer { close(descriptor) }
    return try read(descriptor, path)
  }

  /// The last bytes of a file.
  static func tail(_ path: String, _ count: Int) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw problem("read", path) }
    defer { close(descriptor) }
    lseek(descriptor, -off_t(min(count, lseek(descriptor, 0, SEEK_END))), SEEK_END)
    return try Array(read(descriptor, path).suffix(count))
  }

  /// All that is to be read from a descriptor; errors call it `path`.
  static func read(_ descriptor: Int32, _ path: String) throws -> [UInt8] {
    var status = stat()
    fstat(descriptor, &status)
    if status.st_mode & S_IFMT == S_IFDIR { throw problem("read", path, EISDIR) }
    var bytes = [UInt8](repeating: 0, count: max(Int(status.st_size), 4096))
    var count = 0
    while true {
      if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: bytes.count)) }
      let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + count, $0.count - count) }
      if got < 0 { throw problem("read", path) }
      if got == 0 { break }
      count += got
    }
    return Array(bytes[..<count])
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  static func makeDirectory(_ path: String) throws {
    if mkdir(path, 0o777) == 0 || (errno == EEXIST && isDirectory(path)) { return }
    guard errno == ENOENT, let parent = parent(of: path) else { throw problem("create directory", path) }
    try makeDirectory(parent)
    if mkdir(path, 0o777) != 0, errno != EEXIST { throw problem("create directory", path) }
  }

  /// Makes a directory that is empty and for this process's user alone.
  static func makePrivate(_ path: String) throws {
    if mkdir(path, 0o700) == 0 { return }
    if errno == EEXIST { removeTree(path) } else if let parent = parent(of: path) { try makeDirectory(parent) }
    if mkdir(path, 0o700) != 0 { throw problem("create directory", path) }
  }

  /// Writes all of `bytes` to a temporary file beside `path` and moves it there: readers see the old content or the new.
  /// `synced`: it is on the disk, whole, when this returns.
  static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644, synced: Bool = false) throws {
    try replace(path, mode: mode, synced: synced) { descriptor in bytes.withUnsafeBytes { append($0, to: descriptor) } }
  }

  /// The same of what `fill` writes; it returns whether it could.
  static func replace(_ path: String, mode: mode_t = 0o644, synced: Bool = false, _ fill: (Int32) -> Bool) throws {
    let temporary = path + ".tmp\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw problem("write", path) }
    guard fill(descriptor) else {
      let code = errno
      close(descriptor)
      unlink(temporary)
      throw problem("write", path, code)
    }
    if synced { fsync(descriptor) }
    close(descriptor)
    try move(temporary, to: path)
    if synced, let parent = parent(of: path) { sync(parent) }
  }

  /// Writes all of it, whatever interrupts; whether that could be done.
  static func append(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return false }
      written += count
    }
    return true
  }

  /// Has a file's content, or the names in a directory, written to the disk; whether that could be done.
  @discardableResult static func sync(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return false }
    defer { close(descriptor) }
    return fsync(descriptor) == 0
  }

  static func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

  static func move(_ from: String, to: String) throws {
    if rename(from, to) != 0 { throw problem("write", to) }
  }

  /// The names in a directory, sorted by their bytes; none if there is no such directory.
  static func list(_ path: String) -> [String] { (try? names(in: path)) ?? [] }

  /// The same; throws if what is there cannot be told.
  private static func names(in path: String) throws -> [String] {
    guard let directory = opendir(path) else {
      if errno == ENOENT || errno == ENOTDIR { return [] }
      throw problem("read", path)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Every regular file below a directory: paths relative to it, sorted by their bytes. `opening`: what this user owns and may not read is
  /// made readable, and directories writable.
  static func walk(_ root: String, opening: Bool = false) throws -> [String] {
    var files: [String] = []
    func open(_ path: String, _ mode: mode_t, to needed: mode_t) {
      if opening, mode & needed != needed { chmod(path, (mode | needed) & 0o7777) }
    }
    func visit(_ relative: String) throws {
      for name in try names(in: relative.isEmpty ? root : root + "/" + relative) {
        let path = relative.isEmpty ? name : relative + "/" + name
        var status = stat()
        guard lstat(root + "/" + path, &status) == 0 else { throw problem("read", root + "/" + path) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
          open(root + "/" + path, status.st_mode, to: 0o700)
          try visit(path)
        case S_IFREG:
          open(root + "/" + path, status.st_mode, to: 0o400)
          files.append(path)
        default: throw neitherFileNorDirectory(root + "/" + path)
        }
      }
    }
    if opening, let stamp = FileStamp(of: root) { open(root, stamp.mode, to: 0o700) }
    try visit("")
    return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  static func neitherFileNorDirectory(_ path: String) -> Problem {
    Problem(
      .missingInput, "\(display(path)) is neither a file nor a directory",
      hint: "a directory that is an input or an output holds files and directories alone, no links")
  }

  static func removeTree(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
      if status.st_mode & 0o700 != 0o700 { chmod(path, 0o700) }
      for name in list(path) { removeTree(path + "/" + name) }
      rmdir(path)
    } else {
      unlink(path)
    }
  }

  /// Copies a file's bytes, by reflink where the file system can; makes the directory it goes to. The copy has an inode of its own.
  /// `backdated`: its modification time lies a tick back, so that any write that follows shows. Returns the copy's stamp.
  @discardableResult
  static func copy(_ from: String, to: String, mode: mode_t, backdated: Bool = false) throws -> FileStamp {
    let source = open(from, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard source >= 0 else { throw problem("read", from) }
    defer { close(source) }
    let target = try create(to, mode)
    defer { close(target) }
    do { try copyBytes(source, target, to) } catch {
      unlink(to)
      throw error
    }
    if backdated {
      let then = FileDigests.now - FileDigests.tick
      let time = timespec(tv_sec: then / 1_000_000_000, tv_nsec: then % 1_000_000_000)
      futimens(target, [time, time])
    }
    var status = stat()
    guard fstat(target, &status) == 0 else { throw problem("read", to) }
    return FileStamp(status)
  }

  /// The permissions that this process's files go without.
  private static let mask: mode_t = {
    let mask = umask(0)
    umask(mask)
    return mask
  }()

  /// Moves a file that is nobody's to where a user gets it, as `copy` would make it and in place of what is there. Nil if it cannot be.
  static func give(_ file: String, to path: String, mode: mode_t) -> FileStamp? {
    let then = FileDigests.now - FileDigests.tick
    let time = timespec(tv_sec: then / 1_000_000_000, tv_nsec: then % 1_000_000_000)
    guard chmod(file, mode & ~mask) == 0, utimensat(AT_FDCWD, file, [time, time], 0) == 0, let before = FileStamp(of: file) else { return nil }
    for _ in 0..<2 {
      if rename(file, path) == 0 { return FileStamp(of: path).flatMap { before.isSameContent(as: $0) ? $0 : nil } }
      guard errno == ENOENT, let parent = parent(of: path), (try? makeDirectory(parent)) != nil else { return nil }
    }
    return nil
  }

  /// A new file, in place of what may be there.
  private static func create(_ path: String, _ mode: mode_t) throws -> Int32 {
    for _ in 0..<3 {
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
      if descriptor >= 0 { return descriptor }
      if errno == EEXIST { removeTree(path) } else if errno == ENOENT, let parent = parent(of: path) { try makeDirectory(parent) } else { break }
    }
    throw problem("write", path)
  }

  /// Whether the file system can share blocks between files; asking again would cost a call a file.
  nonisolated(unsafe) private static var reflinks = true  // because one thread owns the run, and a wrong guess only copies

  private static func copyBytes(_ source: Int32, _ target: Int32, _ to: String) throws {
    var status = stat()
    fstat(source, &status)
    var left = Int(status.st_size)
    if left == 0 { return }
    let reflink: UInt = 0x4004_9409  // FICLONE of linux/fs.h
    if reflinks, ioctl(target, reflink, source) == 0 { return }
    if errno == EOPNOTSUPP || errno == ENOTTY { reflinks = false }
    while left > 0, case let count = enpire_copy_range(source, target, left), count > 0 { left -= count }
    if left == 0 { return }
    // Two file systems that do not copy between them: through memory, then.
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while case let count = Glibc.read(source, &buffer, buffer.count), count != 0 {
      guard count > 0, Glibc.write(target, buffer, count) == count else { throw problem("write", to) }
    }
  }

  /// Bytes that are free on the file system of a path.
  static func freeBytes(at path: String) -> Int {
    var status = statvfs()
    return statvfs(path, &status) == 0 ? Int(status.f_bavail) * Int(status.f_frsize) : .max
  }

  static func parent(of path: String) -> String? {
    guard let last = path.utf8.lastIndex(of: slash) else { return nil }
    return last == path.startIndex ? "/" : String(path[..<last])
  }

  static func name(of path: String) -> String { path.utf8.lastIndex(of: slash).map { String(path[path.utf8.index(after: $0)...]) } ?? path }

  static func absolute(_ path: String, in directory: String? = nil) -> String {
    if isAbsolute(path) { return path }
    return (directory ?? currentDirectory) + "/" + (rest(of: path, after: "./") ?? path)
  }

  /// Paths are bytes: to Swift, a slash and a mark that the next name begins with are one character.
  static let slash = UInt8(ascii: "/")

  static func isAbsolute(_ path: String) -> Bool { path.utf8.first == slash }

  static func parts(of path: String, omittingEmpty: Bool = true) -> [Substring] {
    path.utf8.split(separator: slash, omittingEmptySubsequences: omittingEmpty).map { Substring($0) }
  }

  /// What follows `start` in a path that begins so.
  static func rest(of path: String, after start: String) -> String? {
    let count = start.utf8.count
    guard path.utf8.count >= count, memcmp(path, start, count) == 0 else { return nil }
    return String(path[path.utf8.index(path.startIndex, offsetBy: count)...])
  }

  /// A path without the slash at its end that says that it is a directory.
  static func withoutSlash(_ path: String) -> String { path.hasSuffix("/") ? String(path.dropLast()) : path }

  /// Whether a path is another one or lies below that.
  static func lies(_ path: String, in directory: String) -> Bool {
    rest(of: path, after: directory).map { $0.isEmpty || isAbsolute($0) } ?? false
  }

  /// The absolute path of a file whose directory is written without `.`, `..` and empty parts. One that is plain stays as it is; where a `..` may
  /// stand behind a link, the kernel says where it leads.
  static func located(_ path: String) -> String {
    let path = absolute(path)
    guard let directory = parent(of: path), case let words = normal(directory), words != directory else { return path }
    guard let whole = parts(of: directory).contains("..") ? real(directory) : words else { return path }
    return (whole == "/" ? "" : whole) + "/" + name(of: path)
  }

  /// Without `.`, `..` and repeated slashes, by the words alone.
  static func normal(_ path: String) -> String {
    var kept: [Substring] = []
    for part in parts(of: path) where part != "." {
      if part == ".." { _ = kept.popLast() } else { kept.append(part) }
    }
    return "/" + kept.joined(separator: "/")
  }

  /// A path relative to a directory, without `.`, `..` and empty parts; as it is if it leads elsewhere.
  static func plain(_ path: String, in directory: String) -> String {
    var before = UInt8(ascii: "/"), isPlain = true
    for byte in path.utf8 {
      if before == UInt8(ascii: "/"), byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".") { isPlain = false }
      before = byte
    }
    if isPlain { return path }
    let whole = normal(absolute(path, in: directory)) + (path.hasSuffix("/") ? "/" : "")
    return rest(of: whole, after: directory + "/") ?? path
  }

  static var currentDirectory: String {
    guard let buffer = getcwd(nil, 0) else { return "." }
    defer { free(buffer) }
    return String(cString: buffer)
  }

  /// A path that holds none of `*?[` is what it says. In one that does, a backslash takes the meaning of what follows; a pattern is one where some
  /// have theirs.
  static func isPattern(_ path: String) -> Bool {
    guard mayBePattern(path) else { return false }
    var isTaken = false
    for byte in path.utf8 {
      if !isTaken, isSpecial(byte) { return true }
      isTaken = !isTaken && byte == UInt8(ascii: "\\")
    }
    return false
  }

  static func mayBePattern(_ path: String) -> Bool { path.utf8.contains(where: isSpecial) }

  private static func isSpecial(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[") }

  /// What a path means that is no pattern.
  static func unescaped(_ path: String) -> String {
    guard mayBePattern(path) else { return path }
    var (kept, isTaken) = (String.UnicodeScalarView(), false)
    for scalar in path.unicodeScalars {
      isTaken = !isTaken && scalar == "\\"
      if !isTaken { kept.append(scalar) }
    }
    return String(kept)
  }

  /// A pattern that means just this.
  static func escaped(_ text: String) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if "*?[\\".unicodeScalars.contains(scalar) { escaped.append("\\") }
      escaped.append(scalar)
    }
    return String(escaped)
  }

  /// The files and directories that a path or shell pattern in a directory means, sorted by their bytes. The directory's own name is no pattern.
  static func matches(_ pattern: String, in directory: String = "/") -> [String] {
    guard isPattern(pattern) else {
      let path = absolute(unescaped(pattern), in: directory)
      return exists(path) ? [path] : []
    }
    let pattern = absolute(pattern, in: escaped(directory))
    var result = glob_t()
    defer { globfree(&result) }
    guard Glibc.glob(pattern, 0, nil, &result) == 0 else { return [] }
    return (0..<Int(result.gl_pathc)).map { String(cString: result.gl_pathv[$0]!) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
