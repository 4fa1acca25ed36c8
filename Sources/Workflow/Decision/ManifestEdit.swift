// What an edit of the manifest changed: which declarations are other ones, which are new, and where the others stand now. The text is scanned and not
// parsed, so that a step more costs little however many there are; what cannot be told so is for a whole reading.

import Hashing
import JSON

struct ManifestEdit {
  let text: [UInt8]
  let file: FileDigests.Entry
  /// Where each declaration of the snapshot that the manifest holds stands now.
  private(set) var places: [Range<Int>]
  /// Declarations of the snapshot with another text.
  private(set) var changed: [Int] = []
  private(set) var new: [String: Range<Int>] = [:]
  /// Goals that were none before, and the text of all.
  private(set) var goals: [String] = []
  let defaults: [UInt8]

  var isIdle: Bool { changed.isEmpty && new.isEmpty && goals.isEmpty }

  /// Tells a declaration's text from another.
  static func mark(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    Digest(of: bytes).bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Nil where a step was taken away, something beside steps was changed, or the text is not as JSON has to be.
  init?(of path: String, since snapshot: Snapshot) {
    let hashed = FileDigests.now
    guard snapshot.flags & Snapshot.Flags.complete != 0, let stamp = FileStamp(of: path), let text = try? Files.read(path) else { return nil }
    file = FileDigests.Entry(stamp: stamp, digest: Digest(of: text), hashed: hashed)
    guard FileStamp(of: path) == stamp, let members = JSONPointer.members(ofObject: text, in: 0..<text.count),
      let steps = members.first(where: { $0.name == "steps" }), let declared = JSONPointer.members(ofObject: text, in: steps.value)
    else { return nil }
    self.text = text
    let header = members.filter { $0.name != "steps" && $0.name != "default" }.map { text[$0.bytes] }.joined(separator: [UInt8(ascii: ",")])
    defaults = members.first { $0.name == "default" }.map { Array(text[$0.value]) } ?? []
    guard header.elementsEqual(snapshot.header) else { return nil }
    places = snapshot.declarations.map { _ in 0..<0 }
    var indices: [String: Int] = [:]
    for index in snapshot.declarations.indices { indices[snapshot.string(snapshot.declarations[index].name)] = index }
    for member in declared {
      guard let index = indices.removeValue(forKey: member.name) else {
        guard (try? JSON(parsing: text[member.value])) != nil else { return nil }
        new[member.name] = member.bytes
        continue
      }
      // A name that was appended before.
      if snapshot.declarations[index].length == 0 { return nil }
      places[index] = member.bytes
      if Self.mark(text[member.bytes]) == snapshot.declarations[index].mark { continue }
      guard (try? JSON(parsing: text[member.value])) != nil else { return nil }
      changed.append(index)
    }
    guard indices.values.allSatisfy({ snapshot.declarations[$0].length == 0 }) else { return nil }
    let before = Array(snapshot.string(snapshot.defaults).utf8)
    guard let old = Self.names(before), let now = Self.names(defaults) else {
      // The last step is meant: it has to be the same one.
      let last = snapshot.declarations.filter { $0.length > 0 }.max { $0.offset < $1.offset }
      guard before == defaults, last.map({ snapshot.string($0.name) }) == declared.last?.name else { return nil }
      return
    }
    if before == defaults { return }
    goals = now.filter { !old.contains($0) }
    guard Set(old).isSubset(of: now), goals.allSatisfy({ new[$0] != nil }) else { return nil }
    if goals.contains(where: { $0.contains("[") }) { return nil }
  }

  /// Nil where the manifest's last step is meant.
  private static func names(_ text: [UInt8]) -> [String]? {
    guard let names = (try? JSON(parsing: text))?.array, !names.isEmpty else { return nil }
    let strings = names.compactMap(\.string)
    return strings.count == names.count ? strings : nil
  }

  /// Puts what is known now into a snapshot; `manifest` is its watch.
  func apply(to draft: inout Snapshot.Draft, manifest: Int) {
    draft.watches[manifest].stamp = file.stamp
    draft.watches[manifest].digest = file.digest
    draft.watches[manifest].isTrusted = file.isTrusted ? 1 : 0
    for (index, place) in places.enumerated() where !place.isEmpty {
      draft.declarations[index].offset = UInt64(place.lowerBound)
      draft.declarations[index].length = UInt32(place.count)
    }
    for index in changed { draft.declarations[index].mark = Self.mark(text[places[index]]) }
    draft.defaults = draft.add(String(decoding: defaults, as: UTF8.self))
  }
}
