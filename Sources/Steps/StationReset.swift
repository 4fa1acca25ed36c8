// What the worker does for `enpire reset`: resets a station by its driver and looks whether everything lies still within its bounds.

public import JSON
import Robot

public enum StationReset {
  /// Control steps in which everything comes to rest, and for which nothing may move then; how far it may all the same: workspace units, radians.
  private static let watch = 10
  private static let tolerance = (units: 1.0, angle: 0.02)

  /// `entry`: of the fleet. Throws what is wrong with the station.
  public static func run(_ entry: JSON) throws {
    let station = try makeStation(entry)
    let start = try station.reset(seed: 0)
    // Where truth is known the observations' noise does not hide it.
    let hold = Action((start.truth?.state ?? start.observation).prefix(SafetyLimits.pushT.low.count))
    func wait() throws -> Reading { try (0..<watch).reduce(start) { _, _ in try station.step(hold) } }
    let (first, last) = (try wait(), try wait())
    let (before, after) = (first.truth?.state ?? first.observation, last.truth?.state ?? last.observation)
    for (index, (a, b)) in zip(before, after).enumerated() {
      let isAngle = index == 4
      guard a.isFinite, b.isFinite, isAngle || (0...512).contains(b) else {
        throw StationFailure(station.name, "value \(index) of its state is \(b), outside the workspace")
      }
      guard abs(b - a) <= (isAngle ? tolerance.angle : tolerance.units) else {
        throw StationFailure(station.name, "does not lie still after its reset: value \(index) of its state went from \(a) to \(b)")
      }
    }
    _ = try station.picture(PictureForm(size: 96))
  }
}
