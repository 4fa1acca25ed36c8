// How far a flow has come from noise (0) to actions (1), as a network is shown it.

enum FlowTime {
  static let size = 3
  static func append(_ time: Double, to out: inout [Float]) {
    out.append(Float(2 * time - 1))
    out.append(Float(cosine(.pi * time)))
    out.append(Float(sine(.pi * time)))
  }
}
