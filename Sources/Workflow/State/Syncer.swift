// Has a few files or the whole file system written to the disk while the run goes on, in a thread of its own: on a disk that others use too, that
// can take longer than all else. It does not know what for.

internal import CLinux
internal import Glibc

final class Syncer {
  private final class Work {
    let directory: Int32, commands: Int32, replies: Int32
    /// What has to be on the disk; nil: everything.
    var paths: [String]?
    init(directory: Int32, commands: Int32, replies: Int32) { (self.directory, self.commands, self.replies) = (directory, commands, replies) }
  }

  /// Readable when a sync that was begun is over.
  let descriptor: Int32
  private let commands: Int32
  /// The thread's while a sync is on, and this one's else.
  private let work: Work
  private var thread: pthread_t?

  /// For the file system on which a directory lies.
  init(_ path: String) throws {
    let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw Files.problem("read", path) }
    var (down, up): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
    guard enpire_pipe(&down) == 0, enpire_pipe(&up) == 0 else { throw Files.problem("create", "a pipe") }
    (commands, descriptor) = (down[1], up[0])
    work = Work(directory: directory, commands: down[0], replies: up[1])
    let argument = Unmanaged.passRetained(work)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        Syncer.serve(Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue())
        return nil
      }, argument.toOpaque())
    guard code == 0 else {
      argument.release()
      for end in down + up + [directory] { close(end) }
      throw Files.problem("start", "a thread", code)
    }
    self.thread = thread
  }

  deinit {
    close(commands)
    if let thread { pthread_join(thread, nil) }
    close(descriptor)
  }

  /// Begins; at the end these files and directories are on the disk as they were, or all of the file system. One at a time.
  func begin(_ paths: [String]?) {
    work.paths = paths
    var byte: UInt8 = 0
    _ = write(commands, &byte, 1)
  }

  /// Waits for the end of what was begun.
  func finish() {
    var byte: UInt8 = 0
    while read(descriptor, &byte, 1) < 0, errno == EINTR {}
  }

  private static func serve(_ work: Work) {
    // Signals are for the thread that runs steps.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
    var byte: UInt8 = 0
    while case let count = read(work.commands, &byte, 1), count > 0 || (count < 0 && errno == EINTR) {
      if count < 0 { continue }
      if work.paths?.allSatisfy(Files.sync) != true { _ = enpire_syncfs(work.directory) }
      _ = write(work.replies, &byte, 1)
    }
    for descriptor in [work.directory, work.commands, work.replies] { close(descriptor) }
  }
}
