// LeRobotDataset v3.0, out and in, by scripts/lerobot: what PyArrow finds in the files, and that nothing is lost on the way.

import Foundation
import JSON
import NumPy
import Robot
import Testing
import Vision

@Suite struct `LeRobot's format` {
  private static let python = StepRun.checkout + ".deps/python/bin/python3"

  private func run(_ arguments: String..., fails: Bool = false) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: Self.python)
    process.arguments = arguments
    (process.standardOutput, process.standardError) = (output, output)
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect((process.terminationStatus != 0) == fails, "\(text)")
    return text
  }

  private static let script = StepRun.checkout + "scripts/lerobot"

  /// What PyArrow, and nothing of ours, says of the files.
  private static let look = """
    import glob, json, sys, pyarrow.parquet as pq
    root = sys.argv[1]
    rows = pq.read_table(root + "/data/chunk-000/file-000.parquet")
    episodes = pq.read_table(root + "/meta/episodes/chunk-000/file-000.parquet").to_pylist()
    tasks = pq.read_table(root + "/meta/tasks.parquet")
    about = json.loads(tasks.schema.metadata[b"pandas"])
    frame = pq.ParquetFile(root + "/data/chunk-000/file-000.parquet")
    print(json.dumps({
        "columns": {f.name: str(f.type) for f in rows.schema}, "rows": len(rows), "groups": frame.num_row_groups,
        "first": rows.slice(0, 1).to_pylist()[0], "last": rows.slice(len(rows) - 1, 1).to_pylist()[0],
        "episode": {k: v for k, v in episodes[1].items() if not k.startswith("stats/")},
        "statistics": sorted({k.split("/")[-1] for k in episodes[1] if k.startswith("stats/action/")}),
        "picture": episodes[1]["stats/observation.images.top/mean"], "tasks": tasks.to_pylist(), "index": about["index_columns"]}))
    """

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: python), "make setup-test installs PyArrow"))
  func `a data set goes out and comes back as it was`() throws {
    let room = try StepRun()
    defer { room.remove() }
    let demos = StepRun.checkout + "workflows/demos/push-t"
    // Two of the shipped episodes, with their own rows.
    let (states, actions) = (try NumPyArray(contentsOf: demos + "/state.npy"), try NumPyArray(contentsOf: demos + "/action.npy"))
    let ends = try NumPyArray(contentsOf: demos + "/episode_ends.npy").values.prefix(2).map { Int($0) }
    var set = DemonstrationSet(task: "push-t", fps: 10, criterion: "human", actionSource: "recorded", episodes: [])
    try FileManager.default.createDirectory(atPath: room.directory + "/set/videos", withIntermediateDirectories: true)
    for (number, name) in ["episode_000.mp4", "episode_013.mp4"].enumerated() {
      try FileManager.default.copyItem(atPath: "\(demos)/videos/\(name)", toPath: "\(room.directory)/set/videos/\(name)")
      let rows = (number == 0 ? 0 : ends[0])..<ends[number]
      set.episodes.append(
        .init(
          name: name, source: "", size: 96, spans: [.init(frames: 0..<rows.count, label: .success)],
          observations: rows.map { Array(states[row: $0]) },
          actions: rows.map { Array(actions[row: $0]) }, uncertainty: rows.map { _ in [1, 1] }))
    }
    try set.write(to: room.directory + "/set")
    _ = try run(Self.script, "export", room.directory + "/set", room.directory + "/lerobot")

    let found = try JSON(parsing: try run("-c", Self.look, room.directory + "/lerobot"))
    #expect(found["columns"]?["observation.state"] == "fixed_size_list<element: float>[5]")
    #expect(found["columns"]?["timestamp"] == "float" && found["columns"]?["task_index"] == "int64" && found["columns"]?["next.done"] == "bool")
    #expect(found["rows"]?.int == ends[1] && found["groups"] == 2 && found["index"] == ["task"])
    #expect(
      found["last"]?["frame_index"]?.int == ends[1] - ends[0] - 1 && found["last"]?["next.success"] == true && found["first"]?["next.done"] == false)
    let episode = found["episode"]
    #expect(episode?["dataset_from_index"]?.int == ends[0] && episode?["length"]?.int == ends[1] - ends[0])
    #expect(episode?["videos/observation.images.top/from_timestamp"]?.double == Double(ends[0]) / 10)
    #expect(found["statistics"]?.array?.count == 10 && found["picture"]?.array?.count == 3)
    let info = try room.json("lerobot/meta/info.json")
    #expect(info["codebase_version"] == "v3.0" && info["total_frames"]?.int == ends[1] && info["features"]?["action"]?["shape"] == [2])

    _ = try run(Self.script, "import", room.directory + "/lerobot", room.directory + "/back")
    #expect(try NumPyArray(contentsOf: room.directory + "/back/action.npy").values == Array(actions.values.prefix(2 * ends[1])))
    #expect(try NumPyArray(contentsOf: room.directory + "/back/state.npy").values == Array(states.values.prefix(5 * ends[1])))
    for (number, name) in ["episode_000.mp4", "episode_013.mp4"].enumerated() {
      let (source, back) = (
        try VideoReader(path: "\(demos)/videos/\(name)"), try VideoReader(path: "\(room.directory)/back/videos/episode_00\(number).mp4")
      )
      while let frame = try source.next() { #expect(try back.next() == frame) }
      #expect(try back.next() == nil)
    }

    let labels = try ClipLabels(json: room.json("back/labels.json"))
    #expect(labels.clips["episode_001.mp4"] == [.init(frames: ends[1] - ends[0] - 1..<ends[1] - ends[0], label: .success)])

    // LeRobot's own videos are AV1, with a key frame every second one.
    _ = try run("-c", Self.encode, room.directory + "/lerobot")
    _ = try run(Self.script, "import", room.directory + "/lerobot", room.directory + "/av1")
    for number in 0..<2 {
      let film = try VideoReader(path: "\(room.directory)/av1/videos/episode_00\(number).mp4")
      var frames = 0
      while try film.next() != nil { frames += 1 }
      #expect(frames == (number == 0 ? ends[0] : ends[1] - ends[0]))
    }
  }

  /// The film of a data set as LeRobot encodes it.
  private static let encode = """
    import av, os, sys
    from fractions import Fraction
    path = sys.argv[1] + "/videos/observation.images.top/chunk-000/file-000.mp4"
    with av.open(path) as source, av.open(path + ".mp4", "w") as out:
        stream = out.add_stream("libsvtav1", rate=10, options={"g": "2", "crf": "30", "preset": "12"})
        stream.width, stream.height, stream.pix_fmt = 96, 96, "yuv420p"
        for number, frame in enumerate(source.decode(video=0)):
            frame.pts, frame.time_base = number, Fraction(1, 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    os.replace(path + ".mp4", path)
    """

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: python), "make setup-test installs PyArrow"))
  func `what is no data set of either kind is refused in a sentence`() throws {
    let room = try StepRun()
    defer { room.remove() }
    _ = try room.write(["dataset": 7, "fps": 10], to: "dataset.json")
    #expect(try run(Self.script, "export", room.directory, room.directory + "/out", fails: true).contains("is not a data set of ingest-demos"))
    try FileManager.default.createDirectory(atPath: room.directory + "/old/meta", withIntermediateDirectories: true)
    _ = try room.write(["codebase_version": "v2.1", "features": [:]], to: "old/meta/info.json")
    #expect(try run(Self.script, "import", room.directory + "/old", room.directory + "/out", fails: true).contains("is of version v2.1, not v3.0"))
  }
}
