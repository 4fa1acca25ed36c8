// How far a flow has come from noise (0) to actions (1), as a network is shown it.

enum FlowTime {
  static let size = 3
  static func features(_ time: Double) -> [Float] { [Float(2 * time - 1), Float(cosine(.pi * time)), Float(sine(.pi * time))] }
}
