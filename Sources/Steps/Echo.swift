import Workflow

enum Echo: StepKind {
  static let kind = Kind("echo", summary: "x", effect: .pure, revision: 1, outputs: [])
  static func run(_ step: StepContext) throws {}
}
