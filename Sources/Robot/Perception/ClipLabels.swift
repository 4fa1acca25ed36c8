// What a person, or a rule that a person accepted, says that each stretch of a clip shows. Independent of what any verifier sees.
// The format is described in workflows/demos/push-t/README.md.

public import JSON

public struct ClipLabels: Sendable, Equatable {
  public enum Label: String, Sendable { case success, failure, ambiguous }

  public struct Span: Sendable, Equatable {
    public var frames: Range<Int>
    public var label: Label
    /// Who said so, if not whoever is named for the whole file.
    public var by: String?

    public init(frames: Range<Int>, label: Label, by: String? = nil) { (self.frames, self.label, self.by) = (frames, label, by) }
  }

  /// A file that does not hold labels; the sentence goes on from the file's name.
  public struct Problem: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
  }

  /// What "done" means to whoever labelled: `human` or `benchmark`.
  public var criterion: String
  /// Who labelled.
  public var by: String
  /// Spans by the clip's file name.
  public var clips: [String: [Span]]

  public init(json: JSON) throws(Problem) {
    guard json["labels"]?.int == 1 else { throw Problem("does not hold labels of version 1 (\"labels\": 1)") }
    criterion = json["criterion"]?.string ?? "human"
    by = json["by"]?.string ?? ""
    clips = [:]
    for clip in json["clips"]?.array ?? [] {
      guard let name = clip["clip"]?.string else { throw Problem("holds a clip without a name") }
      guard clips[name] == nil else { throw Problem("labels clip '\(name)' twice") }
      var spans: [Span] = []
      for span in clip["spans"]?.array ?? [] {
        guard let from = span["from"]?.int, let to = span["to"]?.int, 0 <= from, from < to else {
          throw Problem("clip '\(name)': a span needs 'from' and 'to' with 0 <= from < to, not \(span.compact)")
        }
        guard let label = span["label"]?.string.flatMap(Label.init) else {
          throw Problem("clip '\(name)': a label is success, failure or ambiguous, not \(span["label"]?.compact ?? "missing")")
        }
        if let other = spans.first(where: { $0.frames.overlaps(from..<to) && $0.label != label }) {
          throw Problem("clip '\(name)': frame \(max(from, other.frames.lowerBound)) is both \(other.label.rawValue) and \(label.rawValue)")
        }
        spans.append(Span(frames: from..<to, label: label, by: span["by"]?.string))
      }
      clips[name] = spans
    }
  }

  /// No labels yet.
  public init(criterion: String, by: String) { (self.criterion, self.by, clips) = (criterion, by, [:]) }

  public var json: JSON {
    [
      "labels": 1, "criterion": .string(criterion), "by": .string(by),
      "clips": .array(clips.keys.sorted().map { ["clip": .string($0), "spans": .array(clips[$0]!.map(\.json))] }),
    ]
  }

  /// The label of each frame of a clip; `ambiguous` where nobody said.
  public static func frames(_ spans: [Span], count: Int) -> [Label] {
    var labels = Array(repeating: Label.ambiguous, count: count)
    for span in spans { for frame in span.frames where frame < count { labels[frame] = span.label } }
    return labels
  }
}

extension ClipLabels.Span {
  public var json: JSON {
    var json: JSON = ["from": .integer(frames.lowerBound), "to": .integer(frames.upperBound), "label": .string(label.rawValue)]
    if let by { json["by"] = .string(by) }
    return json
  }
}
