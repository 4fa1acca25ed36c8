// Words for other programs' files: a POSIX shell's, a crontab's, a systemd unit's. Each has its own way to take a word as it is.

public enum Shell {
  /// A word as a POSIX shell takes it unchanged; as it is where nothing in it means anything.
  public static func quote(_ word: String) -> String {
    let plain = !word.isEmpty && word.utf8.allSatisfy { isPlain($0) }
    return plain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }

  public static func line(_ words: [String]) -> String { words.map(quote).joined(separator: " ") }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: "_-./:=,@+".utf8.contains(byte)
    }
  }
}
