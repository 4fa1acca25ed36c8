// enpire label: a person says what clips show. The pictures and the page are the worker's work, which this becomes.

import ArgumentParser
import Glibc
import JSON
import Workflow

struct LabelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "label", abstract: "Helps a person say what clips show: success, failure or ambiguous, frame by frame.",
    discussion: """
      Serves a page at this machine's own address (127.0.0.1), where the keys s, f and a say what is seen from the frame shown on, and writes the
      labels that ingest-demos reads. What the file holds already is shown and kept. With --sheets it writes contact sheets instead.

      Examples:
        enpire label demos/push-t/videos/*.mp4 -o demos/push-t/labels.json --by ada
        enpire label demos/push-t/videos/*.mp4 -o demos/push-t/labels.json --sheets sheets
      """)

  @Option(name: [.customShort("o", allowingJoined: true), .long], help: "The file of labels, read and written.") var output = "labels.json"
  @Option(help: "Who labels; your account's name if not given.") var by: String?
  @Option(help: "What success means: human, as whoever labels has it, or benchmark.") var criterion = "human"
  @Option(help: "The port; any that is free if not given.") var port: UInt16 = 0
  @Option(help: "A directory: write a contact sheet of each clip there, and serve nothing.", completion: .directory) var sheets: String?
  @Argument(help: "The clips.", completion: .file()) var videos: [String]

  func run() throws {
    for video in videos where access(video, R_OK) != 0 {
      throw Problem(.missingInput, "cannot read \(video): \(String(cString: strerror(errno)))", hint: "check the pattern that names the videos")
    }
    var request: JSON = [
      "videos": .array(videos.map(JSON.string)), "file": .string(output), "by": .string(by ?? Account.name), "criterion": .string(criterion),
      "port": .integer(Int(port)),
    ]
    if let sheets { request["sheets"] = .string(sheets) }
    let words = [Catalogue.worker, "label", request.compact]
    execv(words[0], words.map { strdup($0) } + [nil])
    throw Problem(.internalError, "no worker at \(words[0])", hint: "build it with `make build`, or name it with ENPIRE_WORKER")
  }
}
