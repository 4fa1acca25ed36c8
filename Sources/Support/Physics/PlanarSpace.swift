// Rigid bodies in the plane, by Chipmunk 7.0.3: walls, discs that are driven, and bodies made of convex polygons that are pushed.
// It knows no task. A space and its bodies belong to one thread.

internal import CChipmunk
internal import Synchronization

/// A point or a direction in the plane; the space's own length unit.
public struct Vector: Sendable, Hashable {
  public var x: Double
  public var y: Double
  public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }

  fileprivate var c: cpVect { cpVect(x: x, y: y) }
  fileprivate init(_ v: cpVect) { self.init(v.x, v.y) }
}

public final class PlanarSpace {
  private let space: OpaquePointer
  private var shapes: [OpaquePointer] = []
  private var bodies: [OpaquePointer] = []

  /// No gravity. `damping` is the share of its velocity that a body keeps for a second; 0 stops it at once.
  public init(damping: Double) {
    space = Self.greeted.withLock { greeted in
      defer { greeted = true }
      return enpire_space_new(greeted ? 0 : 1)
    }
    cpSpaceSetDamping(space, damping)
  }

  deinit {
    cpSpaceFree(space)
    shapes.forEach { cpShapeFree($0) }
    bodies.forEach { cpBodyFree($0) }
  }

  private static let greeted = Mutex(false)

  public func step(seconds: Double) { cpSpaceStep(space, seconds) }

  /// A fixed segment with round ends. The friction of a contact is the product of the two shapes'.
  public func addWall(from a: Vector, to b: Vector, radius: Double, friction: Double = 0) {
    add(cpSegmentShapeNew(cpSpaceGetStaticBody(space), a.c, b.c, radius), friction)
  }

  /// A disc that moves as its velocity says and that nothing can push.
  public func addDrivenDisc(radius: Double, friction: Double = 0) -> PlanarBody {
    let body = add(cpBodyNewKinematic())
    add(cpCircleShapeNew(body.pointer, radius, cpVect(x: 0, y: 0)), friction)
    return body
  }

  /// A body made of convex polygons (in its own frame), with its centre of gravity there and its moment of inertia about it.
  public func addBody(mass: Double, moment: Double, centre: Vector, parts: [[Vector]], friction: Double = 0) -> PlanarBody {
    let body = add(cpBodyNew(mass, moment))
    cpBodySetCenterOfGravity(body.pointer, centre.c)
    for part in parts { add(enpire_polygon_new(body.pointer, Int32(part.count), part.map(\.c)), friction) }
    return body
  }

  private func add(_ body: OpaquePointer) -> PlanarBody {
    bodies.append(body)
    return PlanarBody(pointer: cpSpaceAddBody(space, body), space: self)
  }

  private func add(_ shape: OpaquePointer, _ friction: Double) {
    shapes.append(shape)
    cpShapeSetFriction(shape, friction)
    cpSpaceAddShape(space, shape)
  }

  /// The moment of inertia of a polygon of this mass about its frame's origin.
  public static func moment(ofPolygon vertices: [Vector], mass: Double) -> Double {
    cpMomentForPoly(mass, Int32(vertices.count), vertices.map(\.c), cpVect(x: 0, y: 0), 0)
  }

  public static func centroid(ofPolygon vertices: [Vector]) -> Vector { Vector(cpCentroidForPoly(Int32(vertices.count), vertices.map(\.c))) }
}

/// A body in a space; it keeps its space alive.
public struct PlanarBody {
  fileprivate let pointer: OpaquePointer
  private let space: PlanarSpace

  fileprivate init(pointer: OpaquePointer, space: PlanarSpace) { (self.pointer, self.space) = (pointer, space) }

  /// Where the body's frame has its origin.
  public var position: Vector {
    get { Vector(cpBodyGetPosition(pointer)) }
    nonmutating set { cpBodySetPosition(pointer, newValue.c) }
  }

  /// In radians, not wrapped. Setting it turns the body about its centre of gravity, which moves `position`.
  public var angle: Double {
    get { cpBodyGetAngle(pointer) }
    nonmutating set { cpBodySetAngle(pointer, newValue) }
  }

  /// Of the centre of gravity, per second.
  public var velocity: Vector {
    get { Vector(cpBodyGetVelocity(pointer)) }
    nonmutating set { cpBodySetVelocity(pointer, newValue.c) }
  }

  /// Radians per second.
  public var angularVelocity: Double {
    get { cpBodyGetAngularVelocity(pointer) }
    nonmutating set { cpBodySetAngularVelocity(pointer, newValue) }
  }
}
