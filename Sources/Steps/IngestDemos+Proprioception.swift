// What was recorded beside the videos: arrays over all episodes, cut at the episodes' ends and matched to videos by the index.

import JSON
import Robot

extension IngestDemos {
  struct Proprioception {
    /// Rows of the arrays, by video.
    private(set) var rows: [String: Range<Int>] = [:]
    private(set) var states: NumberTable?
    private(set) var actions: NumberTable?

    /// - Parameter videos: file names in order.
    init(_ step: StepContext, videos: [String]) throws {
      states = try step.inputs("states").first.map { try NumberTable($0, columns: 5) }
      actions = try step.inputs("actions").first.map { try NumberTable($0, columns: 2) }
      guard states != nil || actions != nil else { return }
      guard let file = step.inputs("ends").first else {
        throw StepFailure("step \(step.name): recorded arrays are given without 'ends'", hint: "give the file that says where each episode ends")
      }
      let ends = try NumberTable(file, columns: nil).array.values.map { Int($0) }
      guard !ends.isEmpty else { throw StepFailure("holds no episode", at: file.fileName) }
      guard zip([0] + ends, ends).allSatisfy({ $0 < $1 }) else { throw StepFailure("episode ends do not increase", at: file.fileName) }
      for (name, rows) in [("states", states), ("actions", actions)] {
        guard let rows, rows.count != ends.last else { continue }
        throw StepFailure(
          "has \(rows.count) rows, but the last episode ends at row \(ends.last ?? 0)", at: step.inputs(name).first?.fileName,
          hint: "'\(name)' and 'ends' must come from the same recording")
      }
      let order = try Self.order(step, videos: videos, episodes: ends.count)
      for (index, end) in ends.enumerated() { rows[order[index]] = (index == 0 ? 0 : ends[index - 1])..<end }
      if let missing = videos.first(where: { rows[$0] == nil }) {
        throw StepFailure("no recorded episode belongs to it", at: missing, hint: "the index names every video that is given")
      }
    }

    /// Names of the videos in the order of the episodes.
    private static func order(_ step: StepContext, videos: [String], episodes: Int) throws -> [String] {
      guard let file = step.inputs("index").first else {
        guard videos.count == episodes else {
          throw StepFailure(
            "holds \(episodes) episodes, but \(videos.count) videos are given", at: step.inputs("ends").first?.fileName,
            hint: "give an index (episodes.json) or as many videos as episodes")
        }
        return videos
      }
      let names = try StepContext.json(at: file.path).array?.compactMap { $0["video"]?.string?.split(separator: "/").last.map(String.init) } ?? []
      guard names.count == episodes else {
        throw StepFailure("names \(names.count) videos, but \(episodes) episodes are recorded", at: file.fileName)
      }
      return names
    }
  }
}
