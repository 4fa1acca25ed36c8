// A schedule as two units of the user's systemd: a service that is one call, and a timer. It writes them, has them checked, and starts the timer
// where a user's manager runs.

internal import Glibc

public struct SystemdUnits: Sendable {
  public let name: String
  public let manifest: String
  /// `ExecStart` in words, with an absolute program.
  let command: [String]
  let environment: [(name: String, value: String)]
  let timetable: Timetable

  public init(name: String, manifest: String, command: [String], environment: [(name: String, value: String)], timetable: Timetable) {
    (self.name, self.manifest, self.command, self.environment, self.timetable) = (name, manifest, command, environment, timetable)
  }

  /// Where a user's units are.
  public static var directory: String {
    let environment = Child.inheritedEnvironment
    return (environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? (environment["HOME"] ?? "/") + "/.config") + "/systemd/user"
  }

  private static let mark = "# enpire schedule: "

  /// The stem of the two files: an instance of a name is not wanted, so nothing but letters, digits, - and _ stays.
  private static func stem(_ name: String) -> String {
    "enpire-" + String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) || "-_".contains($0) ? $0 : "_" })
  }

  public var service: String {
    """
    \(Self.mark)\(name) \(manifest)
    [Unit]
    Description=enpire: \(Self.plain(name)) (\(Self.plain(manifest)))

    [Service]
    Type=oneshot
    \(environment.map { "Environment=" + Self.quote("\($0.name)=\($0.value)", command: false) + "\n" }.joined())ExecStart=\(command.enumerated().map { Self.quote($1, command: $0 > 0) }.joined(separator: " "))
    # Skipped, waiting for approval, out of time: none of these is a failure of the unit.
    SuccessExitStatus=75 77 78
    # The run ends in good order first.
    KillMode=mixed
    TimeoutStopSec=60

    """
  }

  public var timer: String {
    """
    \(Self.mark)\(name) \(manifest)
    [Unit]
    Description=enpire: when \(Self.plain(name)) runs

    [Timer]
    \(timetable.calendar.map { "OnCalendar=\($0)\n" }.joined())# A night that the machine was off is made up for.
    Persistent=true
    AccuracySec=1s

    [Install]
    WantedBy=timers.target

    """
  }

  /// A word of a unit as it is: % begins a specifier, $ a variable in commands alone, and quotes hold blanks.
  static func quote(_ word: String, command: Bool) -> String {
    var text = word.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("%", with: "%%").replacing("\n", with: "\\n")
    if command { text = text.replacing("$", with: "$$") }
    let isPlain = !word.isEmpty && word.utf8.allSatisfy { $0 > 0x20 && !"\"'\\;".utf8.contains($0) }
    return isPlain ? text : "\"\(text)\""
  }

  private static func plain(_ text: String) -> String { text.replacing("%", with: "%%") }

  public var files: [(path: String, text: String)] {
    let stem = Self.directory + "/" + Self.stem(name)
    return [(stem + ".service", service), (stem + ".timer", timer)]
  }

  /// Writes both, has them checked, and starts the timer. Returns what there is to say.
  public func install() throws -> [String] {
    for (path, _) in files {
      if let other = Self.owner(of: path), other.name != name || other.manifest != manifest {
        throw Problem(.conflict, "\(path) is the schedule of \(other.manifest)", hint: "give this one another --name")
      }
    }
    try Files.makeDirectory(Self.directory)
    for (path, text) in files { try Files.write(text, to: path) }
    var said = Self.verify(files.map(\.path))
    if !said.isEmpty {
      for (path, _) in files { unlink(path) }
      throw Problem(.internalError, "systemd does not take the units: \(said.joined(separator: "\n"))")
    }
    if Self.manage(["daemon-reload"]) && Self.manage(["enable", "--now", Self.stem(name) + ".timer"]) { return [] }
    said.append(
      "no manager of this user's units answers here; when one does: systemctl --user daemon-reload && systemctl --user enable --now \(Self.stem(name)).timer"
    )
    said.append("for a user who is not logged in: loginctl enable-linger")
    return said
  }

  /// What `systemd-analyze` finds wrong with units; nothing where there is no such program.
  public static func verify(_ paths: [String]) -> [String] {
    let file = "/tmp/enpire-verify-\(getpid())"
    defer { unlink(file) }
    let child = try? Child.spawn(
      ["systemd-analyze", "verify", "--user", "--man=no"] + paths, environment: Child.inheritedEnvironment, directory: "/", output: file,
      truncating: true)
    guard let end = child?.wait(), end != .exited(0) else { return [] }
    let said = (try? Files.read(file)).map { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) } ?? []
    // Other units of the machine, and a missing manager, are not what is asked.
    return said.filter { line in paths.contains { line.contains(Files.name(of: $0)) } }
  }

  private static func manage(_ words: [String]) -> Bool {
    let child = try? Child.spawn(["systemctl", "--user"] + words, environment: Child.inheritedEnvironment, directory: "/", output: "/dev/null")
    return child?.wait() == .exited(0)
  }

  private static func owner(of path: String) -> (name: String, manifest: String)? {
    guard let bytes = try? Files.read(path), let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first, line.hasPrefix(mark)
    else { return nil }
    let words = line.dropFirst(mark.count).split(separator: " ", maxSplits: 1).map(String.init)
    return words.count == 2 ? (words[0], words[1]) : nil
  }

  /// The schedules that have units here: name, manifest, when, and the command.
  public static func installed() -> [(name: String, manifest: String, when: [String], command: String)] {
    Files.list(directory).filter { $0.hasPrefix("enpire-") && $0.hasSuffix(".timer") }.compactMap { file in
      let path = directory + "/" + file
      guard let owner = owner(of: path) else { return nil }
      func values(_ path: String, _ key: String) -> [String] {
        String(decoding: (try? Files.read(path)) ?? [], as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix(key + "=") }.map {
          String($0.dropFirst(key.count + 1))
        }
      }
      return (owner.name, owner.manifest, values(path, "OnCalendar"), values(path.dropLast(5) + "service", "ExecStart").first ?? "")
    }
  }

  /// Stops the timer and removes both files; false if there are none.
  public static func remove(_ name: String, _ manifest: String) -> Bool {
    let paths = [".service", ".timer"].map { directory + "/" + stem(name) + $0 }.filter { path in
      owner(of: path).map { $0 == (name, manifest) } ?? false
    }
    if paths.isEmpty { return false }
    _ = manage(["disable", "--now", stem(name) + ".timer"])
    for path in paths { unlink(path) }
    _ = manage(["daemon-reload"])
    return true
  }
}
