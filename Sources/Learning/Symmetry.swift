// A motion of the world that a task does not notice, as a mirror: what was shown once can be learnt from twice.
// Each number of the moved row comes from one number of the old one. It knows no task; the task says its own symmetry.

public struct Symmetry: Sendable, Hashable {
  /// A new number: `factor` times the old number of column `source`, plus `offset`.
  public struct Column: Sendable, Hashable {
    public var source: Int, factor: Double, offset: Double
    public init(_ source: Int, factor: Double, offset: Double) { (self.source, self.factor, self.offset) = (source, factor, offset) }
  }

  public var observation: [Column]
  public var action: [Column]

  public init(observation: [Column], action: [Column]) { (self.observation, self.action) = (observation, action) }

  public func moved(observation row: [Double]) -> [Double] { observation.map { $0.factor * row[$0.source] + $0.offset } }
  public func moved(action row: [Double]) -> [Double] { action.map { $0.factor * row[$0.source] + $0.offset } }
}
