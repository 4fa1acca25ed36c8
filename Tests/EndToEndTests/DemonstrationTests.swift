// Demonstrations that are missing, damaged or do not fit together: one clear error each, and nothing is published.

import Foundation
import JSON
import Testing

@Suite struct `Bad demonstrations` {
  private static let demos = Workspace.repository.appending(path: "workflows/demos/push-t")

  /// A workspace that ingests the videos of `videos/`, and with `arrays` the recorded arrays of the twelve shipped episodes.
  private func workspace(arrays: Bool = false) throws -> Workspace {
    let inputs = #""videos": "videos/*.mp4""# + (arrays ? #", "states": "state.npy", "actions": "action.npy", "ends": "episode_ends.npy""# : "")
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"demos": {"uses": "ingest-demos", "in": {\#(inputs)}, "out": {"dataset": "dataset/"}}}}"#)
    try FileManager.default.createDirectory(at: workspace.path("videos"), withIntermediateDirectories: true)
    if arrays {
      for name in ["state.npy", "action.npy", "episode_ends.npy"] {
        try FileManager.default.copyItem(at: Self.demos.appending(path: name), to: workspace.path(name))
      }
    }
    return workspace
  }

  private func video(_ number: Int = 0) throws -> Data {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.demos.appending(path: "videos").path()).sorted()
    return try Data(contentsOf: Self.demos.appending(path: "videos/" + names[number]))
  }

  private func complaint(_ workspace: Workspace) throws -> String {
    let outcome = try workspace.enpire()
    #expect(outcome.code != 0)
    #expect(!FileManager.default.fileExists(atPath: workspace.path("dataset").path()))
    return outcome.errors
  }

  @Test func `no video at all`() throws {
    let text = try complaint(workspace())
    #expect(text.contains("step demos: no file matches 'videos/*.mp4'") && text.contains("hint: paths start at"))
  }

  @Test(arguments: ["empty", "foreign", "cut"]) func `a damaged video`(damage: String) throws {
    let workspace = try workspace()
    let bytes: Data =
      switch damage {
      case "empty": Data()
      case "foreign": Data("this is no video\n".utf8)
      default: try video().prefix(4000)
      }
    try bytes.write(to: workspace.path("videos/episode.mp4"))
    let text = try complaint(workspace)
    #expect(text.contains("FAILED") && text.contains("episode.mp4") && text.contains("hint: "), "\(text)")
  }

  @Test func `arrays of other episodes`() throws {
    let workspace = try workspace(arrays: true)
    try video().write(to: workspace.path("videos/episode_000.mp4"))
    let text = try complaint(workspace)
    #expect(text.contains("12") && text.contains("hint: "), "\(text)")
  }

  @Test func `after the damage is mended the run goes on`() throws {
    let workspace = try workspace()
    try Data().write(to: workspace.path("videos/episode.mp4"))
    _ = try complaint(workspace)
    try video().write(to: workspace.path("videos/episode.mp4"))
    #expect(try workspace.enpire().code == 0)
    #expect(try JSON(parsing: try #require(workspace.read("dataset/dataset.json")))["episodes"]?.array?.count == 1)
  }
}
