// A pose more exact than the shape's fit: the scene is drawn on whole units, so a picture shows where eight corners were rounded to, and every pose
// that rounds them so explains it alike. Poses about the fit are compared with the picture as pymunk's drawing would show them, and what comes of it
// is the middle of those that explain it. It costs some hundred looks at an outline, so it is for frames in which half a per cent of coverage counts.

internal import Foundation

struct RoundedFit {
  /// How far from the fit is looked at first, in x, y (units), angle (rad) and the T's unit; half and a quarter of it then.
  private static let spread = SIMD4(0.5, 0.5, 0.007, 0.16)
  private static let rounds = [256, 160, 160]
  /// Squared shares that pictures of one scene may differ by, as noise and coding have it.
  private static let tolerance = 0.3
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

  mutating func pose(from start: TeePose) -> TeePose {
    let (x, y) = start.centroid
    var centre = SIMD4(x, y, start.angle, start.size)
    var spread = Self.spread
    var least = cost(start)
    var draw = 0
    for count in Self.rounds {
      var candidates = [(pose: centre, cost: cost(Self.pose(centre)))]
      for _ in 0..<count {
        draw += 1
        let offset = SIMD4(Self.halton(draw, 2), Self.halton(draw, 3), Self.halton(draw, 5), Self.halton(draw, 7)) * 2 - 1
        let pose = centre + offset * spread
        candidates.append((pose, cost(Self.pose(pose))))
      }
      for candidate in candidates { least = min(least, candidate.cost) }
      var (sum, weights) = (SIMD4<Double>(), 0.0)
      for candidate in candidates {
        let weight = exp((least - candidate.cost) / (2 * Self.tolerance))
        sum += candidate.pose * weight
        weights += weight
      }
      // Nothing here explains it as well as something before did.
      guard weights > 1e-3 else { break }
      centre = sum / weights
      spread /= 2
    }
    return Self.pose(centre)
  }

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
