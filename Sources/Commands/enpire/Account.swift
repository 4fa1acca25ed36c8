// Whose account runs this: who is meant where nobody is named.

import Glibc

enum Account {
  static var name: String { getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "user \(getuid())" }
}
