// What was recorded beside the videos: arrays over all episodes, cut at the episodes' ends and matched to videos by the index.

import JSON
import Robot

extension IngestDemos {
  struct Proprioception {
    /// What `sensors` tells, of what a verifier may be told.
    private(set) var senses: [Sense] = []
    /// Rows of the arrays, by video.
    private(set) var rows: [String: Range<Int>] = [:]
    private(set) var states: NumberTable?
    private(set) var actions: NumberTable?
    /// A column for each of the senses.
    private(set) var sensors: NumberTable?

    /// - Parameter videos: file names in order.
    init(_ step: StepContext, videos: [String]) throws {
      states = try step.inputs("states").first.map { try NumberTable($0, columns: 5) }
      actions = try step.inputs("actions").first.map { try NumberTable($0, columns: 2) }
      if let file = step.inputs("sensors").first { (sensors, senses) = try Self.sensors(file, named: step.strings("sensor_names")) }
      guard states != nil || actions != nil || sensors != nil else { return }
      guard let file = step.inputs("ends").first else {
        throw StepFailure("step \(step.name): recorded arrays are given without 'ends'", hint: "give the file that says where each episode ends")
      }
      let ends = try NumberTable(file, columns: nil).array.values.enumerated().map { row, value in
        guard let end = Int(exactly: value) else { throw StepFailure("holds \(value) in row \(row), which is no count of frames", at: file.fileName) }
        return end
      }
      guard !ends.isEmpty else { throw StepFailure("holds no episode", at: file.fileName) }
      guard zip([0] + ends, ends).allSatisfy({ $0 < $1 }) else { throw StepFailure("episode ends do not increase", at: file.fileName) }
      for (name, rows) in [("states", states), ("actions", actions), ("sensors", sensors)] {
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

    /// The columns that a verifier may be told; others are left out.
    private static func sensors(_ file: InputFile, named names: [String]) throws -> (NumberTable, [Sense]) {
      let names = names.isEmpty ? NumberTable.names(file) : names
      guard !names.isEmpty else {
        throw StepFailure("does not name its columns", at: file.fileName, hint: "'sensor_names' names them, or the first line of a .csv")
      }
      let places = names.indices.filter { Sense(rawValue: names[$0]).map { $0 != .size } ?? false }
      guard !places.isEmpty else {
        throw StepFailure("has the columns \(names.joined(separator: ", ")), none of which is height or force", at: file.fileName)
      }
      let senses: [Sense]
      do { senses = try Sense.list(places.map { names[$0] }) } catch { throw StepFailure("names a column twice", at: file.fileName) }
      return (try NumberTable(file, columns: names.count, gaps: true).taking(places), senses)
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
