// What a command reads, as strace saw it: from the system calls that name files to paths of the workspace. It runs in a private directory
// that is thrown away. Knows nothing of runs; what the paths mean for a manifest is said in Undeclared.

internal import Glibc

/// One file that a process asked for.
struct FileAccess: Hashable {
  enum Form { case opened, listed, probed }

  /// Absolute, without . and ..
  var path: String
  var form: Form
  var found: Bool
}

enum Tracing {
  static var program: String? { Files.program("strace") }

  /// The words that run a command under strace, with what it asks for written to `file`.
  static func wrap(_ argv: [String], strace: String, to file: String) -> [String] {
    [strace, "-f", "-qq", "-y", "-s", "4096", "-e", "trace=%file", "-e", "signal=none", "-o", file, "--"] + argv
  }

  /// The system calls by which a program asks for a file; those that make or remove one are not among them.
  private static let asking: Set<Substring> = [
    "open", "openat", "openat2", "access", "faccessat", "faccessat2", "stat", "lstat", "newfstatat", "statx", "readlink", "readlinkat", "execve",
    "execveat", "chdir",
  ]

  /// Reads what strace wrote.
  static func accesses(in text: String, startingIn directory: String) -> [FileAccess] {
    var found: [FileAccess] = []
    var seen: Set<FileAccess> = []
    /// Where each process is, and what it has asked and was not told yet.
    var places: [Substring: String] = [:]
    var unfinished: [Substring: String] = [:]
    for line in text.split(separator: "\n") {
      guard let space = line.firstIndex(of: " ") else { continue }
      let process = line[..<space]
      var call = line[space...].drop { $0 == " " }
      if call.hasSuffix("<unfinished ...>") {
        unfinished[process] = String(call.dropLast("<unfinished ...>".count))
        continue
      }
      if call.hasPrefix("<... "), let end = call.firstRange(of: " resumed>") {
        guard let start = unfinished.removeValue(forKey: process) else { continue }
        call = Substring(start + call[end.upperBound...])
      }
      guard let parenthesis = call.firstIndex(of: "("), let (result, arguments) = parts(call[call.index(after: parenthesis)...]) else { continue }
      let name = call[..<parenthesis]
      guard asking.contains(name), let quote = arguments.firstIndex(of: "\"") else { continue }
      // `AT_FDCWD</where/it/is>` or `3</a/directory>` before the path.
      var base = places[process] ?? directory
      if let open = arguments[..<quote].firstIndex(of: "<"), let close = arguments[..<quote].lastIndex(of: ">"), open < close {
        base = unquote(arguments[arguments.index(after: open)..<close])
        if arguments.hasPrefix("AT_FDCWD") { places[process] = base }
      }
      let (path, flags) = quoted(arguments[quote...])
      if path.isEmpty { continue }
      let isFound = !result.hasPrefix("-1")
      // Other failures than absence tell that it is there.
      guard isFound || result.contains("ENOENT") || result.contains("ENOTDIR") else { continue }
      let full = Files.normal(Files.isAbsolute(path) ? path : base + "/" + path)
      if name == "chdir", isFound { places[process] = full }
      let opens = name.hasPrefix("open") || name.hasPrefix("exec")
      if opens, flags.contains("O_CREAT") || flags.contains("O_WRONLY") { continue }
      let access = FileAccess(path: full, form: !opens ? .probed : flags.contains("O_DIRECTORY") ? .listed : .opened, found: isFound)
      if seen.insert(access).inserted { found.append(access) }
    }
    return found
  }

  /// A call's result and its arguments: `…) = 3</path>`.
  private static func parts(_ text: Substring) -> (result: Substring, arguments: Substring)? {
    var end = text.endIndex
    // The last ") = ", for a path may hold one too.
    while let equals = text[..<end].lastIndex(of: "=") {
      let before = text[..<equals].reversed().drop { $0 == " " }
      if before.first == ")" { return (text[equals...].dropFirst().drop { $0 == " " }, text[..<equals]) }
      end = equals
    }
    return nil
  }

  /// The text between the first quotes, and what follows.
  private static func quoted(_ text: Substring) -> (String, Substring) {
    var end = text.index(after: text.startIndex)
    while end < text.endIndex, text[end] != "\"" {
      end = text.index(end, offsetBy: text[end] == "\\" ? 2 : 1, limitedBy: text.endIndex) ?? text.endIndex
    }
    return (unquote(text[text.index(after: text.startIndex)..<end]), text[end...])
  }

  /// C's escapes, as strace writes bytes that are no letters.
  private static func unquote(_ text: Substring) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
        bytes.append(byte)
        continue
      }
      switch escape {
      case UInt8(ascii: "n"): bytes.append(10)
      case UInt8(ascii: "t"): bytes.append(9)
      case UInt8(ascii: "r"): bytes.append(13)
      case UInt8(ascii: "0")...UInt8(ascii: "7"):
        var value = Int(escape - 48)
        for _ in 0..<2 { if let digit = rest.first, (48...55).contains(digit) { (value, _) = (value * 8 + Int(digit - 48), rest.popFirst()) } }
        bytes.append(UInt8(truncatingIfNeeded: value))
      default: bytes.append(escape)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
