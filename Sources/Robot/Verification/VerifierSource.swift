// A verifier as source that a person can read and an agent can change: the conditions in words of the task, the measures they need, and the
// talk that docs/programs.md fixes. What it says is what `VerifierProgram` says of the same description; tests hold the two together.

extension VerifierDescription {
  /// A whole Swift file; nothing but the standard library is needed.
  public var swiftSource: String {
    let predicates = Predicate.allCases.filter { predicate in conditions.contains { $0.predicate == predicate } }
    let measures = predicates.map(\.swiftMeasure).joined(separator: "\n\n")
    let told = senses.map(\.rawValue).joined(separator: ", ")
    let fields = Sense.allCases.filter { $0 != .size && senses.contains($0) }.map { "  var \($0.rawValue) = 0.0\n" }.joined()
    let arguments =
      (["agentX: numbers[0], agentY: numbers[1], x: numbers[2], y: numbers[3], angle: numbers[4]"]
      + Sense.allCases.compactMap { sense in senses.firstIndex(of: sense).map { "\(sense.rawValue): numbers[\(5 + $0)]" } }).joined(separator: ", ")
    let rule = conditions.map { "\($0.predicate.rawValue)(now, before) \($0.predicate.wantsMore ? ">=" : "<=") \($0.threshold)" }
      .joined(separator: "\n    && ")
    return """
      // Says when \(task) is done, by criterion '\(criterion)'. Done is a frame in which all conditions hold, with at least \(hits) such frames
      // among the last \(window). Made by synthesize-reward from labelled clips; the protocol is in docs/programs.md.
      // Lengths are workspace units (0...512, y down), angles radians.

      import Glibc

      /// What is told of one frame: the agent, and the T by the middle of its bar's outer edge and its angle\(told.isEmpty ? "" : "; then \(told)").
      struct Scene {
        var agentX, agentY, x, y, angle: Double
        /// The T's unit: bar 4 x 1, stem 1 x 3.
        var size = 30.0
      \(fields)}

      let goal = (x: \(TeePose.goal.x), y: \(TeePose.goal.y), angle: Double.pi / 4)

      func conditionsHold(_ now: Scene, _ before: Scene?) -> Bool {
        \(rule)
      }

      \(measures)

      // MARK: Frame by frame

      var before: Scene?
      var recent: [Bool] = []

      /// Nothing is done in a frame that does not show all.
      func judge(_ numbers: [Double]) -> Bool {
        guard numbers.allSatisfy({ $0.isFinite }) else {
          (before, recent) = (nil, Array((recent + [false]).suffix(\(window))))
          return false
        }
        let now = Scene(\(arguments))
        let holds = conditionsHold(now, before)
        before = now
        recent = Array((recent + [holds]).suffix(\(window)))
        return holds && recent.filter { $0 }.count >= \(hits)
      }

      setvbuf(stdout, nil, _IOLBF, 0)
      while let line = readLine() {
        let words = line.split(separator: " ")
        let numbers = words.dropFirst().compactMap { Double($0) }
        switch words.first {
        case "enpire": print("ready")
        case "reset":
          (before, recent) = (nil, [])
          print("ready")
        case "observe" where numbers.count == \(5 + senses.count):
          print(judge(numbers) ? "done" : "not-done")
        default: print("fail this is not understood: \\(line)")
        }
      }

      """
  }
}

extension Predicate {
  /// The measure as a Swift function of this frame and the one before.
  fileprivate var swiftMeasure: String {
    switch self {
    case .position:
      """
      /// Distance of the T's centroid from the goal's.
      func position(_ now: Scene, _ before: Scene?) -> Double {
        \(Self.swiftDistance)
        return distance(now, Scene(agentX: 0, agentY: 0, x: goal.x, y: goal.y, angle: goal.angle, size: now.size))
      }
      """
    case .angle:
      """
      /// Rotation between T and goal, 0...pi.
      func angle(_ now: Scene, _ before: Scene?) -> Double {
        abs((now.angle - goal.angle).remainder(dividingBy: 2 * Double.pi))
      }
      """
    case .overlap:
      """
      /// Share of the goal that the T covers, 0...1: the T's rectangles, turned into the goal's frame and clipped by the goal's, which are as big;
      /// all in lengths of a T of the usual size.
      func overlap(_ now: Scene, _ before: Scene?) -> Double {
        let boxes = [(left: -60.0, right: 60.0, top: 0.0, bottom: 30.0), (left: -15.0, right: 15.0, top: 30.0, bottom: 120.0)]
        typealias Corner = (x: Double, y: Double)
        /// The part of a polygon where `side` is not negative.
        func clipped(_ corners: [Corner], _ side: (Corner) -> Double) -> [Corner] {
          var result: [Corner] = []
          for (index, a) in corners.enumerated() {
            let b = corners[(index + 1) % corners.count]
            let (da, db) = (side(a), side(b))
            if da >= 0 { result.append(a) }
            if (da >= 0) != (db >= 0) { result.append((a.x + da / (da - db) * (b.x - a.x), a.y + da / (da - db) * (b.y - a.y))) }
          }
          return result
        }
        let (dx, dy, turn) = ((now.x - goal.x) * 30 / now.size, (now.y - goal.y) * 30 / now.size, now.angle - goal.angle)
        let (originX, originY) = (cos(goal.angle) * dx + sin(goal.angle) * dy, cos(goal.angle) * dy - sin(goal.angle) * dx)
        var covered = 0.0
        for part in boxes {
          let corners = [(part.left, part.top), (part.right, part.top), (part.right, part.bottom), (part.left, part.bottom)].map {
            (x: originX + cos(turn) * $0.0 - sin(turn) * $0.1, y: originY + sin(turn) * $0.0 + cos(turn) * $0.1)
          }
          for box in boxes {
            var both = clipped(corners) { $0.x - box.left }
            both = clipped(both) { box.right - $0.x }
            both = clipped(both) { $0.y - box.top }
            both = clipped(both) { box.bottom - $0.y }
            for (index, a) in both.enumerated() {
              let b = both[(index + 1) % both.count]
              covered += (a.x * b.y - a.y * b.x) / 2
            }
          }
        }
        return abs(covered) / 6300
      }
      """
    case .stillness:
      """
      /// How far the T's centroid moved since the frame before; nothing is known to stand still in the first.
      func stillness(_ now: Scene, _ before: Scene?) -> Double {
        \(Self.swiftDistance)
        return before.map { distance(now, $0) } ?? .infinity
      }
      """
    case .clearance:
      """
      /// Distance of the agent's rim (radius 15) from the T; negative if it seems to overlap.
      func clearance(_ now: Scene, _ before: Scene?) -> Double {
        let (dx, dy) = ((now.agentX - now.x) * 30 / now.size, (now.agentY - now.y) * 30 / now.size)
        let (u, v) = (cos(now.angle) * dx + sin(now.angle) * dy, cos(now.angle) * dy - sin(now.angle) * dx)
        func box(_ u: Double, _ v: Double, _ halfWidth: Double, _ halfHeight: Double) -> Double {
          let (a, b) = (abs(u) - halfWidth, abs(v) - halfHeight)
          return a > 0 && b > 0 ? (a * a + b * b).squareRoot() : max(a, b)
        }
        return min(box(u, v - 15, 60, 15), box(u, v - 60, 15, 60)) * now.size / 30 - 15
      }
      """
    case .height:
      """
      /// How high the arm's tip is, as it is recorded.
      func height(_ now: Scene, _ before: Scene?) -> Double { now.height }
      """
    case .force:
      """
      /// How strong a force the arm feels, as it is recorded.
      func force(_ now: Scene, _ before: Scene?) -> Double { now.force }
      """
    }
  }

  /// Of two poses' centroids, which lie `\(Tee.centre)` along the stem of a nominal T.
  private static let swiftDistance = """
    func centre(_ scene: Scene) -> (x: Double, y: Double) {
        let along = \(Tee.centre) * scene.size / 30
        return (scene.x - sin(scene.angle) * along, scene.y + cos(scene.angle) * along)
      }
      func distance(_ a: Scene, _ b: Scene) -> Double {
        let (p, q) = (centre(a), centre(b))
        return ((p.x - q.x) * (p.x - q.x) + (p.y - q.y) * (p.y - q.y)).squareRoot()
      }
    """
}
