// A pose more exact than the shape's fit: the scene is drawn on whole units, so a picture shows where eight corners were rounded to, and every pose
// that rounds them so explains it alike. First the corners are found that explain the picture best, drawn as pymunk draws them; then the middle of
// all poses that round to these. It costs some hundred looks at an outline, so it is for frames in which half a per cent of coverage counts.

internal import Foundation
internal import Hashing

struct RoundedFit {
  /// What is known of the T's unit.
  struct Size {
    var mean: Double
    var deviation: Double
  }

  /// How far from the best so far is looked, in x, y (units), angle (rad) and the T's unit; less, where `draws` looks find none better.
  private static let spread = SIMD4(0.5, 0.5, 0.007, 0.16)
  private static let (draws, most, less, nearest) = (128, 2048, 0.6, 0.2)
  /// No pose looked at moves the outline farther, nor does rounding, units.
  private static let band = 3.0

  /// A pixel: a bilinear sample of four pixels of the 512×512 drawing.
  private struct Pixel {
    var x: Double, y: Double
    /// Of the pixel at x, y, that right of it, that below it, and the fourth.
    var weights: SIMD4<Double>
    var share: Double
    var gain: Double
  }

  private let pixels: [Pixel]
  private var costs: [SIMD16<Int16>: Double] = [:]

  /// - Parameter samples: the pixels to explain, of which those at the outline count.
  init(about drawn: DrawnTee, _ samples: [Sample]) {
    pixels = samples.filter { abs(drawn.distance($0.x, $0.y)) < Self.band }.map { sample in
      let (x, y) = (sample.x.rounded(.down), sample.y.rounded(.down))
      let (right, down) = (sample.x - x, sample.y - y)
      return Pixel(
        x: x, y: y, weights: SIMD4((1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down), share: sample.share,
        gain: sample.gain)
    }
  }

  /// The pose, and what is known of the T's unit now.
  /// - Parameter size: what other pictures of the same T told of its unit.
  mutating func pose(from start: TeePose, size: Size?) -> (pose: TeePose, size: Size) {
    let (x, y) = start.centroid
    var best = SIMD4(x, y, start.angle, size?.mean ?? start.size)
    var least = cost(Self.pose(best))
    var (draw, reach) = (0, 1.0)
    while reach > Self.nearest, draw < Self.most {
      let (centre, before) = (best, least)
      for _ in 0..<Self.draws {
        draw += 1
        let offset = SIMD4(Self.halton(draw, 2), Self.halton(draw, 3), Self.halton(draw, 5), Self.halton(draw, 7)) * 2 - 1
        let pose = centre + offset * Self.spread * reach
        let cost = cost(Self.pose(pose))
        if cost < least { (best, least) = (pose, cost) }
      }
      if least == before { reach *= Self.less }
    }
    return Self.middle(about: best, size)
  }

  /// The middle of the poses whose corners are rounded as those of this one: a walk through them (hit and run, Smith 1984), in which corners move
  /// as straight as they do over a unit.
  private static func middle(about pose: SIMD4<Double>, _ known: Size?) -> (pose: TeePose, size: Size) {
    let (sine, cosine) = (sin(pose.z), cos(pose.z))
    // How each coordinate of each corner moves with the pose, and how far it may.
    var slopes: [SIMD4<Double>] = []
    var bounds: [(least: Double, most: Double)] = []
    for corner in PushTRenderer.boxes.joined() {
      let (u, v) = (corner.x / Tee.size, (corner.y - Tee.centre) / Tee.size)
      let (alongX, alongY) = (cosine * u - sine * v, sine * u + cosine * v)
      for (place, slope) in [
        (pose.x + alongX * pose.w, SIMD4(1, 0, -alongY * pose.w, alongX)), (pose.y + alongY * pose.w, SIMD4(0, 1, alongX * pose.w, alongY)),
      ] {
        let whole = place.rounded(.toNearestOrEven)
        slopes.append(slope)
        bounds.append((whole - 0.5 - place, whole + 0.5 - place))
      }
    }
    var stream = RandomStream(seed: 0)
    var offset = SIMD4<Double>()
    var samples: [SIMD4<Double>] = []
    for _ in 0..<walk {
      let way = SIMD4(stream.normal(), stream.normal(), stream.normal(), stream.normal()) * spread
      var (first, last) = (-1e3, 1e3)
      for (slope, bound) in zip(slopes, bounds) {
        let (rate, now) = ((slope * way).sum(), (slope * offset).sum())
        guard abs(rate) > 1e-12 else { continue }
        let (a, b) = ((bound.least - now) / rate, (bound.most - now) / rate)
        (first, last) = (max(first, min(a, b)), min(last, max(a, b)))
      }
      guard first < last else { continue }
      offset += way * stream.uniform(first...last)
      samples.append(offset)
    }
    func mean(_ weight: (SIMD4<Double>) -> Double) -> (weight: Double, offset: SIMD4<Double>, deviation: Double) {
      var (sum, weights, squares) = (SIMD4<Double>(), 0.0, 0.0)
      for sample in samples {
        let share = weight(sample)
        sum += sample * share
        weights += share
        squares += sample.w * sample.w * share
      }
      let middle = sum / max(weights, 1e-300)
      return (weights, middle, max(0, squares / max(weights, 1e-300) - middle.w * middle.w).squareRoot())
    }
    var found = mean { _ in 1 }
    if let known {
      let informed = mean { sample in
        let off = (pose.w + sample.w - known.mean) / known.deviation
        return exp(-off * off / 2)
      }
      // Where what was known cannot be, it was wrong.
      if informed.weight > 1e-2 * found.weight { found = informed }
    }
    let middle = Self.pose(pose + found.offset)
    return (middle, Size(mean: middle.size, deviation: max(surest, found.deviation)))
  }
  private static let walk = 2000
  /// What a few bad frames made sure of can be unlearnt.
  private static let surest = 0.015

  /// Of a T whose centroid is at x, y.
  private static func pose(_ parameters: SIMD4<Double>) -> TeePose {
    let offset = TeePose(x: 0, y: 0, angle: parameters.z, size: parameters.w).centroid
    return TeePose(x: parameters.x - offset.x, y: parameters.y - offset.y, angle: parameters.z, size: parameters.w)
  }

  private mutating func cost(_ pose: TeePose) -> Double {
    let tee = PushTRenderer.tee(x: pose.x, y: pose.y, angle: pose.angle, scale: pose.size)
    var key = SIMD16<Int16>()
    for (index, corner) in tee.joined().enumerated() {
      key[2 * index] = Int16(corner.x)
      key[2 * index + 1] = Int16(corner.y)
    }
    if let known = costs[key] { return known }
    let (bar, stem) = (RoundedBox(tee[0]), RoundedBox(tee[1]))
    var cost = 0.0
    for pixel in pixels {
      let outside = pointwiseMin(bar.distances(pixel.x, pixel.y), stem.distances(pixel.x, pixel.y))
      let difference = min(1, pixel.weights.replacing(with: 0, where: outside .> 0).sum() * pixel.gain) - pixel.share
      cost += difference * difference
    }
    costs[key] = cost
    return cost
  }

  /// The sequence's member in 0..<1: even, and the same every time (Halton, 1960).
  private static func halton(_ index: Int, _ base: Int) -> Double {
    var (left, share, value) = (index, 1.0, 0.0)
    while left > 0 {
      share /= Double(base)
      value += share * Double(left % base)
      left /= base
    }
    return value
  }
}

/// A box of the T with its corners on whole units, and what the lines over its edges add to it: which pixels are drawn.
private struct RoundedBox {
  /// For each edge: its normal, outwards, and how far along that the drawing goes.
  private var edges = InlineArray<4, (x: Double, y: Double, end: Double)>(repeating: (0, 0, 0))

  init(_ corners: [(x: Double, y: Double)]) {
    let middle = (x: (corners[0].x + corners[2].x) / 2, y: (corners[0].y + corners[2].y) / 2)
    for index in 0..<4 {
      let (from, to) = (corners[index], corners[(index + 1) % 4])
      let (dx, dy) = (to.x - from.x, to.y - from.y)
      let length = max(1e-9, (dx * dx + dy * dy).squareRoot())
      var normal = (x: dy / length, y: -dx / length)
      if normal.x * (from.x - middle.x) + normal.y * (from.y - middle.y) < 0 { normal = (-normal.x, -normal.y) }
      // As `PushTRenderer` draws its fat lines, and every pixel on a border with them.
      let minor = abs(dx) <= abs(dy) ? normal.x : normal.y
      let across = (x: (2 * abs(dy) / length).rounded(.toNearestOrEven), y: (2 * abs(dx) / length).rounded(.toNearestOrEven))
      let reach = max(2 * minor, -minor, abs(normal.x * across.x + normal.y * across.y)) + 0.5 * max(abs(normal.x), abs(normal.y))
      edges[index] = (normal.x, normal.y, normal.x * from.x + normal.y * from.y + reach)
    }
  }

  /// How far the pixel at x, y, that right of it, that below it and the fourth lie outside; not positive inside.
  @inline(__always) func distances(_ x: Double, _ y: Double) -> SIMD4<Double> {
    var outside = SIMD4(repeating: -Double.infinity)
    for index in 0..<4 {
      let edge = edges[index]
      let first = edge.x * x + edge.y * y - edge.end
      outside = pointwiseMax(outside, SIMD4(first, first + edge.x, first + edge.y, first + edge.x + edge.y))
    }
    return outside
  }
}
