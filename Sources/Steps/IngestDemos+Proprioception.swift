// What was recorded beside the videos: arrays over all episodes, cut at the episodes' ends and matched to videos by the index.

import JSON
import NumPy
import Robot

extension IngestDemos {
  struct Proprioception {
    /// Rows of the arrays, by video.
    private(set) var rows: [String: Range<Int>] = [:]
    private(set) var states: Rows?
    private(set) var actions: Rows?

    struct Rows {
      let array: NumPyArray
      subscript(rows: Range<Int>) -> [[Double]] { rows.map { Array(array[row: $0]) } }
    }

    /// - Parameter videos: file names in order.
    init(_ step: StepContext, videos: [String]) throws {
      states = try Self.array(step, "states", columns: 5).map(Rows.init)
      actions = try Self.array(step, "actions", columns: 2).map(Rows.init)
      guard states != nil || actions != nil else { return }
      guard let file = step.inputs("ends").first, let array = try Self.array(step, "ends", columns: nil) else {
        throw StepFailure("step \(step.name): recorded arrays are given without 'ends'", hint: "give the file that says where each episode ends")
      }
      let ends = array.values.map { Int($0) }
      guard !ends.isEmpty else { throw StepFailure("holds no episode", at: file.fileName) }
      guard zip([0] + ends, ends).allSatisfy({ $0 < $1 }) else { throw StepFailure("episode ends do not increase", at: file.fileName) }
      for (name, rows) in [("states", states), ("actions", actions)] {
        guard let rows, rows.array.shape[0] != ends.last else { continue }
        throw StepFailure(
          "has \(rows.array.shape[0]) rows, but the last episode ends at row \(ends.last ?? 0)", at: step.inputs(name).first?.fileName,
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

    private static func array(_ step: StepContext, _ name: String, columns: Int?) throws -> NumPyArray? {
      guard let file = step.inputs(name).first else { return nil }
      do {
        let array = try NumPyArray(contentsOf: file.path)
        let fits = columns.map { array.shape.count == 2 && array.shape[1] == $0 } ?? (array.shape.count == 1)
        guard fits else {
          throw StepFailure("has shape \(array.shape) where [N\(columns.map { ", \($0)" } ?? "")] is wanted", at: file.fileName)
        }
        return array
      } catch let error as NumPyError { throw StepFailure(error.problem, at: file.fileName) }
    }
  }
}
