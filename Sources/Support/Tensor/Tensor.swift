// A float32 array on the CPU with automatic differentiation, by libtorch. It knows no network and no algorithm.
// Shapes that do not fit are programmer errors and stop the program with libtorch's own words; numbers that overflow are results.
// Nothing here draws random numbers: they come from a `RandomStream`, so that a seed means the same everywhere.

internal import CTorch

/// A handle on values that live in libtorch. Deliberately not `Sendable`: a tensor and all that was computed from it belong to one thread.
public final class Tensor {
  let handle: OpaquePointer

  init(owning handle: OpaquePointer?) {
    guard let handle else { preconditionFailure("tensor: " + String(cString: enpire_torch_error())) }
    self.handle = handle
  }

  deinit { enpire_tensor_free(handle) }

  /// A copy of the values, row by row; as many as the product of the shape.
  public convenience init(_ values: [Float], shape: [Int]) {
    precondition(values.count == shape.reduce(1, *), "tensor: \(values.count) values for shape \(shape)")
    self.init(owning: values.withUnsafeBufferPointer { enpire_tensor_new($0.baseAddress, shape.map(Int64.init), Int32(shape.count)) })
  }

  public convenience init(zeros shape: [Int]) {
    self.init(owning: enpire_tensor_new(nil, shape.map(Int64.init), Int32(shape.count)))
  }

  public var shape: [Int] { (0..<enpire_tensor_rank(handle)).map { Int(enpire_tensor_size(handle, $0)) } }
  public var count: Int { shape.reduce(1, *) }

  /// The values, row by row. Setting them is not recorded.
  public var values: [Float] {
    get {
      let count = count
      return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
        if count > 0 { Self.check(enpire_tensor_read(handle, buffer.baseAddress, Int64(count))) }
        filled = count
      }
    }
    set { newValue.withUnsafeBufferPointer { Self.check(enpire_tensor_write(handle, $0.baseAddress, Int64($0.count))) } }
  }

  /// The one value of a scalar.
  public var item: Double { Double(values[0]) }

  static func check(_ done: Bool) { precondition(done, "tensor: " + String(cString: enpire_torch_error())) }
}

// MARK: - Differentiation

extension Tensor {
  /// Marks a leaf whose gradient `backward` shall find.
  @discardableResult public func requiringGradient() -> Tensor {
    Self.check(enpire_tensor_require_grad(handle))
    return self
  }

  /// Adds the gradient of this scalar to every leaf it came from.
  public func backward() { Self.check(enpire_tensor_backward(handle)) }

  /// What `backward` left; nil before it.
  public var gradient: Tensor? { enpire_tensor_grad(handle).map(Tensor.init(owning:)) }

  /// The same values, cut off from what they were computed from.
  public var detached: Tensor { unary(enpire_detach) }

  /// Runs `body` without recording: less work, and in-place changes of leaves are allowed.
  public static func unrecorded<Result>(_ body: () throws -> Result) rethrows -> Result {
    let was = enpire_torch_set_recording(false)
    defer { _ = enpire_torch_set_recording(was) }
    return try body()
  }

  /// Threads of libtorch's and OpenBLAS's pools. One is fastest for nets of a few hundred units, and makes sums repeatable.
  public static func setThreads(_ count: Int) { enpire_torch_set_threads(Int32(count)) }
}

// MARK: - Arrays

/// Adds row · matrix to the sums: for one row at a time, which is too little for libtorch. The order of additions is that of the row.
/// - Parameters:
///   - row: as many as the matrix has rows; what is 0 is passed over.
///   - matrix: row by row, as wide as there are sums.
public func addProduct(of row: [Float], and matrix: UnsafeBufferPointer<Float>, to sums: inout [Float]) {
  precondition(matrix.count == row.count * sums.count, "a row of \(row.count), a matrix of \(matrix.count) and \(sums.count) sums")
  sums.withUnsafeMutableBufferPointer { sums in
    enpire_add_row_product(sums.baseAddress, row, matrix.baseAddress, Int64(row.count), Int64(sums.count))
  }
}

// MARK: - In-place updates

/// First and second moments of the gradients of some parameters, and Adam's step on them.
public struct AdamMoments {
  public let first: [Tensor]
  public let second: [Tensor]

  public init(for parameters: [Tensor]) {
    first = parameters.map { Tensor(zeros: $0.shape) }
    second = parameters.map { Tensor(zeros: $0.shape) }
  }

  /// Adam with decoupled weight decay. Gradients are scaled down to the norm `clip` if that is positive, and cleared.
  /// - Parameter step: counts from 1.
  /// - Returns: the gradients' norm before scaling. If it is not finite, nothing was changed.
  public func step(_ parameters: [Tensor], number step: Int, rate: Double, decay: Double = 0, clip: Double = 0) -> Double {
    var norm = 0.0
    Tensor.check(
      enpire_torch_adam(
        parameters.map(\.handle), first.map(\.handle), second.map(\.handle), Int32(parameters.count), Int64(step), rate, decay, clip, &norm))
    return norm
  }
}

extension Tensor {
  /// Moves `targets` towards `sources` by the share `amount`.
  public static func blend(_ targets: [Tensor], towards sources: [Tensor], by amount: Double) {
    precondition(targets.count == sources.count)
    check(enpire_torch_blend(targets.map(\.handle), sources.map(\.handle), Int32(targets.count), amount))
  }

  public static func clearGradients(_ tensors: [Tensor]) { enpire_tensor_clear_grads(tensors.map(\.handle), Int32(tensors.count)) }
}
