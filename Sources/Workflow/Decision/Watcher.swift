// A process that is told by the kernel which files change (inotify), so that a run with nothing to do need not look at any.
// It watches the directories of the files in the workspace's snapshots, and answers runs over a socket in the state directory.
// Whatever it cannot be sure of it does not answer, and the run looks for itself.

internal import CLinux
internal import Glibc
internal import Hashing
import JSON

public final class Watcher {
  /// A snapshot and what changed since it was taken.
  private final class Watched {
    let snapshot: Snapshot
    let indices: [String: Int]
    /// Names of directories on the way: if one of them is replaced, nothing is known any more.
    let directories: Set<String>
    /// What inotify does not tell of, or not by this name: links, what is reached through one, files with several names, listings; and what an
    /// equal stamp says nothing of.
    let always: [Int]
    var changed: Set<Int>

    init(_ snapshot: Snapshot, indices: [String: Int], directories: Set<String>, always: [Int], changed: Set<Int>) {
      (self.snapshot, self.indices, self.directories, self.always, self.changed) = (snapshot, indices, directories, always, changed)
    }
  }

  private enum Reason: Equatable { case file(FileStamp?), names(Digest) }

  private let root: String
  private let state: String
  private let notifier: Int32
  private let listener: Int32
  private let lock: Int32
  private var paths: [Int32: String] = [:]
  private var descriptors: [String: Int32] = [:]
  /// Directories, by descriptor, in which watched files lie or new names matter; of the others on the way only that they stay counts.
  private var holders: Set<Int32> = []
  private var watched: [String: Watched] = [:]
  /// Directories below which new ones matter.
  private var trees: Set<String> = []
  /// The run that goes on, of those that `serve` starts.
  private var child: Child?
  /// Snapshots that appeared meanwhile. They are read when it has ended: from then on nothing that happens is its own doing.
  private var unread: Set<String> = []
  /// Something happened where a watched file lies, outside of the state, that the run which goes on has not done itself. The first run is due too.
  private var isStirred = true
  /// What was a reason to run once, by path, is none again as long as it stays as it is: a time in the future is never trusted.
  private var reasons: [String: Reason] = [:]
  /// The manifest and every file that a snapshot called an input: no run writes those.
  private var sources: Set<String>

  /// Starts watching for the workspace of a manifest.
  public init(manifest: String) throws {
    let request = Request(manifest: manifest, overrides: [], goals: [])
    (root, state, sources) = (request.directory, request.state, [request.path])
    try Files.makeDirectory(request.snapshots)
    lock = open(state + "/watch.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw Problem(.locked, "this workspace is watched already", hint: "one `enpire watch` is enough")
    }
    notifier = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    unlink(state + "/watch.sock")
    let directory = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(directory) }
    guard notifier >= 0, listener >= 0, WatchClient.withAddress(directory, { bind(listener, $0, $1) }) == 0, listen(listener, 16) == 0 else {
      throw Files.problem("watch", state)
    }
    chmod(state + "/watch.sock", 0o600)
    guard follow(request.snapshots) else { throw Files.problem("watch", request.snapshots) }
    for name in Files.list(request.snapshots) { load(name) }
    if watched.isEmpty { followAll(below: root) }
  }

  deinit {
    unlink(state + "/watch.sock")
    for descriptor in [notifier, listener, lock] { close(descriptor) }
  }

  /// How many files are watched.
  public var fileCount: Int { watched.values.reduce(0) { $0 + $1.indices.count } }

  /// Serves until it is interrupted. With `arguments`, runs this program with them at once, and again after whatever is watched has changed.
  public func serve(running arguments: [String]?) throws {
    let signals = enpire_signalfd()
    defer { close(signals) }
    defer { child?.signal(SIGTERM); _ = child?.wait() }
    while true {
      let isDue = arguments != nil && child == nil && isStirred
      var polled = [signals, notifier, listener, child?.descriptor ?? -1].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      // An editor writes several times; wait until it is quiet.
      let count = poll(&polled, 4, isDue ? 100 : -1)
      if count < 0, errno != EINTR { throw Files.problem("watch", root) }
      if polled[0].revents != 0 { return }
      if polled[1].revents != 0 { drain() }
      if polled[2].revents != 0 { answer() }
      if polled[3].revents != 0 {
        _ = child?.wait()
        // What it published itself is told before it counts as ended.
        drain()
        child = nil
        for (name, entry) in watched where !unread.contains(name) { lookAtListings(entry.snapshot) }
        unread.forEach(load)
        unread = []
        // A manifest with a mistake leaves no snapshot that would name its files.
        if watched.isEmpty { followAll(below: root) }
      }
      if isDue, count == 0 {
        isStirred = false
        child = try Child.spawn(
          ["/proc/self/exe"] + arguments!, environment: Child.inheritedEnvironment, directory: Files.currentDirectory, output: "standard error",
          through: fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3))
      }
    }
  }

  // MARK: Snapshots

  private func load(_ name: String) {
    guard !name.contains(".") else { return }
    watched[name] = nil
    guard let snapshot = Snapshot(path: state + "/snapshots/" + name) else { return }
    let names = snapshot.watches.map { snapshot.string($0.path) }
    let paths = names.map { Files.absolute($0, in: root) }
    let kinds = snapshot.watches.map(\.what)
    var (directories, parents): (Set<String>, Set<String>) = ([], [])
    for (index, (path, kind)) in zip(paths, kinds).enumerated() {
      switch kind {
      case .pattern:
        let parts = Files.parts(of: names[index])
        let fixed = min(parts.prefix { !Files.isPattern(String($0)) }.count, parts.count - 1)
        let place = (Files.isAbsolute(names[index]) ? "/" : root + (fixed > 0 ? "/" : "")) + Files.unescaped(parts[..<fixed].joined(separator: "/"))
        if fixed == parts.count - 1 { _ = follow(place) } else { followTree(place) }
      case .directory: followTree(path)
      case .appended: _ = follow(path)
      case .configuration, .file, .output:
        if kind != .output { sources.insert(path) }
        var next = Files.parent(of: path)
        if let next { parents.insert(next) }
        while let directory = next, directories.insert(directory).inserted { next = directory == "/" ? nil : Files.parent(of: directory) }
      }
    }
    guard directories.allSatisfy({ follow($0, isHolder: parents.contains($0)) }) else { return }
    // The kernel knows a directory by one name, however many lead to it.
    var known: [String: Bool] = [:]
    func isReal(_ directory: String) -> Bool {
      let answer = known[directory] ?? (Files.real(directory) == directory)
      known[directory] = answer
      return answer
    }
    // Only now: what happens from here on the kernel tells.
    var (indices, always): ([String: Int], [Int]) = ([:], [])
    var changed: Set<Int> = []
    for (index, (path, kind)) in zip(paths, kinds).enumerated() {
      let watch = snapshot.watches[index]
      if let listing = snapshot.listing(watch, in: root) {
        always.append(index)
        see(path, .names(listing), isReason: listing != watch.digest)
        continue
      }
      var status = stat()
      let isPlain = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      let stamp = isPlain ? FileStamp(status) : FileStamp(of: path)
      let isAsItWas = stamp == watch.stamp
      // Written again within the clock tick of its hashing, its stamp would be the same.
      see(path, .file(stamp), isReason: !isAsItWas || watch.isTrusted == 0 && kind != .output)
      if isPlain, status.st_nlink == 1, watch.isTrusted != 0, indices[path] == nil, isReal(Files.parent(of: path) ?? "/") {
        indices[path] = index
        if !isAsItWas { changed.insert(index) }
      } else {
        always.append(index)
      }
    }
    watched[name] = Watched(snapshot, indices: indices, directories: directories, always: always, changed: changed)
  }

  private func see(_ path: String, _ state: Reason, isReason: Bool) {
    let before = reasons[path]
    reasons[path] = isReason ? state : nil
    if isReason, before != state { isStirred = true }
  }

  /// New names that appeared while a run went on, which may or may not have seen them.
  private func lookAtListings(_ snapshot: Snapshot) {
    for watch in snapshot.watches where watch.what.isOfNames {
      let listing = snapshot.listing(watch, in: root)!
      see(Files.absolute(snapshot.string(watch.path), in: root), .names(listing), isReason: listing != watch.digest)
    }
  }

  /// Follows a directory with all below it, and what will come to be there.
  private func followTree(_ directory: String) {
    trees.insert(directory)
    followAll(below: directory)
  }

  /// Follows a directory and those in it, but for hidden ones; so many at most.
  private func followAll(below directory: String, atMost limit: Int = 4096) {
    var next = [directory]
    while let directory = next.popLast(), descriptors.count < limit, follow(directory) {
      next += Files.list(directory).filter { !$0.hasPrefix(".") }.map { directory + "/" + $0 }.filter { lstatIsDirectory($0) }
    }
  }

  private func lstatIsDirectory(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Asks the kernel to tell of what happens in a directory. False where it cannot: other hosts write there, or there is no such directory.
  private func follow(_ directory: String, isHolder: Bool = true) -> Bool {
    guard let descriptor = descriptors[directory] ?? watch(directory) else { return false }
    if isHolder { holders.insert(descriptor) }
    return true
  }

  private func watch(_ directory: String) -> Int32? {
    // ext, XFS, Btrfs, tmpfs, overlayfs, ZFS, F2FS: file systems that only this kernel writes.
    guard [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1, 0xF2F5_2010].contains(enpire_filesystem(directory)) else {
      return nil
    }
    let events =
      IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF
    let descriptor = inotify_add_watch(notifier, directory, UInt32(events))
    guard descriptor >= 0 else { return nil }
    descriptors[directory] = descriptor
    // Whatever names lead there, events are told by its own.
    if paths[descriptor] == nil || Files.real(directory) == directory { paths[descriptor] = directory }
    return descriptor
  }

  // MARK: Events

  /// Takes all events that the kernel has.
  private func drain() {
    let header = MemoryLayout<inotify_event>.size
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(notifier, &buffer, buffer.count)
      guard count > 0 else { return }
      var at = 0
      while at + header <= count {
        let event = buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: inotify_event.self) }
        let name = String(decoding: buffer[(at + header)..<(at + header + Int(event.len))].prefix { $0 != 0 }, as: UTF8.self)
        at += header + Int(event.len)
        take(event, name)
      }
    }
  }

  private func take(_ event: inotify_event, _ name: String) {
    let lost = UInt32(IN_Q_OVERFLOW | IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)
    guard event.mask & lost == 0, let directory = paths[event.wd] else {
      // A directory is gone or events were lost: what is known of any snapshot that uses it is worth nothing.
      let gone = paths[event.wd]
      if gone == nil || !isInState(gone!), child == nil || event.mask & UInt32(IN_Q_OVERFLOW) != 0 { isStirred = true }
      watched = watched.filter { gone != nil && !$0.value.directories.contains(gone!) }
      if event.mask & UInt32(IN_IGNORED) != 0 {
        paths[event.wd] = nil
        holders.remove(event.wd)
        descriptors = descriptors.filter { $0.value != event.wd }
      }
      return
    }
    if directory == state + "/snapshots" {
      if event.mask & UInt32(IN_DELETE) != 0 { watched[name] = nil }
      if event.mask & UInt32(IN_MOVED_TO) != 0 { if child == nil { load(name) } else { unread.insert(name) } }
      return
    }
    let path = directory == "/" ? "/" + name : directory + "/" + name
    let matters = holders.contains(event.wd) || watched.values.contains { $0.directories.contains(path) }
    if matters, !isInState(path), child == nil || sources.contains(path) { isStirred = true }
    if event.mask & UInt32(IN_ISDIR) != 0, event.mask & UInt32(IN_CREATE | IN_MOVED_TO) != 0, trees.contains(directory) { followTree(path) }
    for (key, entry) in watched {
      if let index = entry.indices[path] {
        entry.changed.insert(index)
      } else if event.mask & UInt32(IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CREATE) != 0, entry.directories.contains(path) {
        watched[key] = nil
      }
    }
  }

  private func isInState(_ path: String) -> Bool { Files.lies(path, in: state) }

  // MARK: Answers

  private func answer() {
    let client = accept(listener, nil, nil)
    guard client >= 0 else { return }
    defer { close(client) }
    var patience = timeval(tv_sec: 1, tv_usec: 0)
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var question = [UInt8](repeating: 0, count: 64)
    let count = recv(client, &question, question.count, 0)
    guard count > 8 else { return }
    let name = String(decoding: question[..<(count - 8)], as: UTF8.self)
    let id = question.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self) }
    // Whatever happened before the question is in the kernel's queue by now.
    drain()
    guard let entry = watched[name], entry.snapshot.id == id else { return }
    let indices = entry.changed.map(UInt32.init) + entry.always.map(UInt32.init)
    let words = [UInt32(indices.count)] + indices
    words.withUnsafeBytes { _ = send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
  }
}
