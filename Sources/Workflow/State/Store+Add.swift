// How things come into the store: by one rename, after their bytes were hashed. What a step left is not trusted: links are not followed on
// the way to it, a file that has another name is copied, and a blob that is there already counts only if it holds what its name says.

internal import CLinux
internal import Glibc
import Hashing
import JSON

extension Store {
  /// Something found where a step was to leave a file or directory.
  enum Found {
    case nothing
    case file(Int32, stat), directory
    /// A link on the way or at the end.
    case link
  }

  /// Looks below `directory` for `path`; an open descriptor belongs to the caller.
  static func find(_ path: String, below directory: String) throws -> Found {
    let descriptor = enpire_open_beneath(directory, path)
    if descriptor < 0 {
      switch -descriptor {
      case ENOENT, ENOTDIR: return .nothing
      case ELOOP, EXDEV: return .link
      case let code: throw Files.problem("read", directory + "/" + path, code)
      }
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Files.problem("read", directory + "/" + path) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file(descriptor, status)
    case S_IFDIR:
      close(descriptor)
      return .directory
    default:
      close(descriptor)
      throw Problem(.stepFailed, "\(path) is neither a file nor a directory", hint: "outputs hold files and directories alone, no links")
    }
  }

  /// Takes a file that nobody else writes into the store, by moving it; `descriptor` is it, open for reading, and is closed.
  func addFile(_ file: String, _ descriptor: Int32, _ status: stat, form: Output.Form = .file) throws -> Artifact {
    var isOpen = true
    defer { if isOpen { close(descriptor) } }
    if status.st_nlink > 1 {
      // It has another name, by which it could be changed later.
      let copy = file + ".copy\(getpid())"
      try Files.copy(file, to: copy, mode: Self.mode(0o444, FileStamp(status).isExecutable))
      return try addFile(copy, form: form)
    }
    let digest = try hash(descriptor, file)
    fchmod(descriptor, 0o444)
    close(descriptor)
    isOpen = false
    try place(file, digest)
    return Artifact(digest: digest, form: form, isExecutable: FileStamp(status).isExecutable)
  }

  func addFile(_ file: String, form: Output.Form = .file) throws -> Artifact {
    let descriptor = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw Files.problem("read", file) }
    var status = stat()
    fstat(descriptor, &status)
    return try addFile(file, descriptor, status, form: form)
  }

  /// Takes a file or directory that nobody else writes.
  func add(_ path: String, form: Output.Form) throws -> Artifact {
    form == .directory ? try addDirectory(path) : try addFile(path, form: form)
  }

  /// Copies what a user has into the store, where it was before.
  func takeBack(_ artifact: Artifact, from path: String) throws {
    func copy(_ file: String) throws -> Artifact {
      let copy = "\(root)/back.tmp\(getpid())"
      try Files.copy(file, to: copy, mode: Self.mode(0o444, FileStamp(of: file)?.isExecutable == true))
      return try addFile(copy)
    }
    guard artifact.form == .directory else {
      _ = try copy(path)
      return
    }
    _ = try addListing(path, copy)
  }

  func addDirectory(_ path: String) throws -> Artifact {
    Artifact(digest: try addListing(path, opening: true) { try addFile($0) }, form: .directory)
  }

  private func addListing(_ directory: String, opening: Bool = false, _ add: (String) throws -> Artifact) throws -> Digest {
    let entries = try Files.walk(directory, opening: opening).map { path in
      let file = try add(directory + "/" + path)
      return Entry(path: path, digest: file.digest, isExecutable: file.isExecutable)
    }
    return try addBytes(Array(Self.listing(entries).utf8))
  }

  func addBytes(_ bytes: [UInt8]) throws -> Digest {
    let digest = Digest(of: bytes)
    let target = path(of: digest)
    if Files.exists(target), holds(digest) { return digest }
    try Files.makeDirectory(Files.parent(of: target)!)
    try Files.write(bytes, to: target, mode: 0o444)
    return digest
  }

  /// Gives the file its name in the store.
  func place(_ file: String, _ digest: Digest) throws {
    try put(file, digest)
    prove(digest)
  }

  private func put(_ file: String, _ digest: Digest) throws {
    let target = path(of: digest)
    if enpire_move_new(file, target) == 0 { return }
    if errno == ENOENT {
      try Files.makeDirectory(Files.parent(of: target)!)
      if enpire_move_new(file, target) == 0 { return }
    }
    switch errno {
    // A crash of the machine can leave a name without its content.
    case EEXIST where holds(digest): spares.give(file, digest)
    case EEXIST, EINVAL: try Files.move(file, to: target)
    default: throw Files.problem("write", target)
    }
  }

  /// Whether the blob's bytes are those its name says.
  func holds(_ digest: Digest) -> Bool { (try? hashFile(path(of: digest))) == digest }
}

/// Files whose content the store has already: one of them can be published as it is, instead of a copy of the blob.
final class Spares {
  private let root: String
  private var files: [Digest: [String]] = [:]
  private var count = 0

  init(root: String) { self.root = root }

  func give(_ file: String, _ digest: Digest) {
    let spare = "\(root)/spare-\(getpid())-\(count)"
    if files[digest, default: []].count < 64, rename(file, spare) == 0 {
      files[digest, default: []].append(spare)
      count += 1
    } else {
      unlink(file)
    }
  }

  func take(_ digest: Digest) -> String? { files[digest]?.popLast() }
}
