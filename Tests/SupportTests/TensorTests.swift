import Foundation
import Hashing
import Testing
import Tensor

@Suite struct TensorTests {
  @Test func `A gradient is what finite differences say, for every operation used in training`() {
    func loss(_ x: Tensor, _ w: Tensor, _ b: Tensor) -> Tensor {
      let hidden = x.linear(w, b).layerNormed
      let parts = Tensor.concatenate([hidden.silu.slice(0..<2, of: 1), hidden.tanh.slice(2..<3, of: 1)], along: 1)
      let more = (hidden.clamped(-1...1).exp + (hidden.squared + 1).log - hidden.relu * hidden / (hidden.magnitude + 2)).mean(
        over: 1)
      return parts.sum() + more.mean() - parts.repeated(2).least(over: 0).mean()
    }
    let x = Tensor([0.3, -1.2, 0.8, 0.1, 0.9, -0.4], shape: [2, 3])
    let b = Tensor([0.1, 0, -0.2], shape: [3])
    let start: [Float] = [0.5, -0.3, 0.8, 1.1, 0.2, -0.7, -0.6, 0.9, 0.4]
    let w = Tensor(start, shape: [3, 3]).requiringGradient()
    loss(x, w, b).backward()
    let gradient = w.gradient!.values
    for index in start.indices {
      func at(_ delta: Float) -> Double {
        var moved = start
        moved[index] += delta
        return loss(x, Tensor(moved, shape: [3, 3]), b).item
      }
      #expect(abs((at(0.01) - at(-0.01)) / 0.02 - Double(gradient[index])) < 5e-3)
    }
  }

  @Test func `Each member of an ensemble has its own layer`() {
    let x = Tensor([1, 2], shape: [1, 2]).repeated(2)
    let w = Tensor([1, 0, 0, 1, 3, 0, 0, 3], shape: [2, 2, 2])
    let b = Tensor([0, 0, 10, 10], shape: [2, 1, 2])
    #expect(x.linear(w, b).values == [1, 2, 13, 16])
  }

  @Test(arguments: [Tensor.Activation.relu, .silu, .tanh], [(members: 1, norm: false), (members: 1, norm: true), (members: 3, norm: true)])
  func `A perceptron in one operation gives the values and gradients of its single operations`(
    activation: Tensor.Activation, kind: (members: Int, norm: Bool)
  ) {
    var stream = RandomStream("perceptron")
    // Widths that are no multiple of what a processor takes at once.
    let sizes = [5, 37, 19, 3], rows = 7, members = kind.members
    func drawn(_ shape: [Int]) -> Tensor { Tensor((0..<shape.reduce(1, *)).map { _ in Float(stream.normal()) }, shape: shape) }
    func parameters() -> [Tensor] {
      zip(sizes, sizes.dropFirst()).flatMap { rows, columns in
        [drawn(members == 1 ? [rows, columns] : [members, rows, columns]), drawn(members == 1 ? [columns] : [members, 1, columns])]
      }
    }
    func singly(_ x: Tensor, _ parameters: [Tensor]) -> Tensor {
      var x = members == 1 ? x : x.repeated(members)
      for layer in 0..<parameters.count / 2 {
        x = x.linear(parameters[2 * layer], parameters[2 * layer + 1])
        if layer == parameters.count / 2 - 1 { break }
        if kind.norm { x = x.layerNormed }
        x =
          switch activation {
          case .relu: x.relu
          case .silu: x.silu
          case .tanh: x.tanh
          }
      }
      return x
    }
    let first = parameters(), second = first.map { Tensor($0.values, shape: $0.shape) }
    let seen = drawn([rows, sizes[0]]), again = Tensor(seen.values, shape: seen.shape), weight = drawn([rows, sizes.last!])
    for tensor in first + second + [seen, again] { tensor.requiringGradient() }
    let one = seen.perceptron(first, activation: activation, layerNorm: kind.norm), other = singly(again, second)
    #expect(one.shape == other.shape)
    func close(_ a: Tensor, _ b: Tensor) -> Bool { a.shape == b.shape && zip(a.values, b.values).allSatisfy { abs($0 - $1) < 1e-4 * (1 + abs($1)) } }
    #expect(close(one, other))
    #expect(Tensor.unrecorded { seen.perceptron(first, activation: activation, layerNorm: kind.norm).values } == one.values)
    (one.squared * weight).sum().backward()
    (other.squared * weight).sum().backward()
    for (a, b) in zip(first + [seen], second + [again]) { #expect(close(a.gradient!, b.gradient!)) }
  }

  @Test func `Through a perceptron whose weights are cut off, the gradient reaches its input alone`() {
    let w = Tensor([2, 0, 0, 3], shape: [2, 2]).requiringGradient(), b = Tensor([0, 0], shape: [2]).requiringGradient()
    let x = Tensor([1, 1], shape: [1, 2]).requiringGradient()
    x.perceptron([w.detached, b.detached], activation: .relu, layerNorm: false).sum().backward()
    #expect(x.gradient!.values == [2, 3])
    #expect(w.gradient == nil && b.gradient == nil)
  }

  @Test func `A row by a matrix adds up in the order of the row, whatever the processor's vectors are`() {
    var stream = RandomStream("row"), sums: [Float] = (0..<37).map { _ in Float(stream.normal()) }
    let row: [Float] = (0..<19).map { $0 % 5 == 0 ? 0 : Float(stream.normal()) }, matrix = (0..<19 * 37).map { _ in Float(stream.normal()) }
    var wanted = sums
    for (i, factor) in row.enumerated() { for k in wanted.indices { wanted[k] += factor * matrix[i * 37 + k] } }
    matrix.withUnsafeBufferPointer { addProduct(of: row, and: $0, to: &sums) }
    #expect(sums == wanted)
  }

  @Test func `A squashed normal has its density, and the gradients that finite differences say`() {
    let said: [Float] = [0.3, -1.2, -0.5, 0.2, 2.5, 0.1, -1.5, -0.3], noise: [Float] = [0.4, -1.1, 0.7, 1.3]
    func loss(_ said: Tensor) -> Tensor {
      let drawn = said.squashedNormal(noise: Tensor(noise, shape: [2, 2]), spreads: -5...1)
      return (drawn.action * Tensor([1, -2, 3, 0.5], shape: [2, 2])).sum() + (drawn.logDensity * Tensor([0.7, -0.4], shape: [2, 1])).sum()
        + drawn.mean.squared.sum()
    }
    let x = Tensor(said, shape: [2, 4]).requiringGradient()
    loss(x).backward()
    for index in said.indices {
      func at(_ delta: Float) -> Double {
        var moved = said
        moved[index] += delta
        return loss(Tensor(moved, shape: [2, 4])).item
      }
      #expect(abs((at(0.01) - at(-0.01)) / 0.02 - Double(x.gradient!.values[index])) < 5e-3)
    }
    let drawn = Tensor(said, shape: [2, 4]).squashedNormal(noise: Tensor(noise, shape: [2, 2]), spreads: -5...1)
    for row in 0..<2 {
      var density = 0.0
      for k in 0..<2 {
        let (m, s, z) = (Double(said[4 * row + k]), Double(said[4 * row + 2 + k]), Double(noise[2 * row + k]))
        let action = tanh(m + exp(s) * z)
        density += -z * z / 2 - s - log(2 * .pi) / 2 - log(1 - action * action)
        #expect(abs(Double(drawn.action.values[2 * row + k]) - action) < 1e-6)
        #expect(abs(Double(drawn.mean.values[2 * row + k]) - tanh(m)) < 1e-6)
      }
      #expect(abs(Double(drawn.logDensity.values[row]) - density) < 1e-5)
    }
  }

  @Test func `A squashed normal far out has a finite density, and a spread beyond its range no gradient`() {
    let x = Tensor([90, -90, 3, -7], shape: [1, 4]).requiringGradient()
    let drawn = x.squashedNormal(noise: Tensor([1, -1], shape: [1, 2]), spreads: -5...1)
    #expect(drawn.logDensity.item.isFinite && drawn.logDensity.item > 300)
    drawn.logDensity.sum().backward()
    #expect(x.gradient!.values == [2, -2, 0, 0])
  }

  @Test func `Adam's first step moves by the rate against the gradient's sign, and shrinks by the decay`() {
    let p = Tensor([1, -2], shape: [2]).requiringGradient()
    let moments = AdamMoments(for: [p])
    (p * Tensor([3, -4], shape: [2])).sum().backward()
    let norm = moments.step([p], number: 1, rate: 0.1, decay: 0.5)
    #expect(norm == 5)
    #expect(zip(p.values, [0.95 - 0.1, -1.9 + 0.1] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(p.gradient == nil)
  }

  @Test func `A gradient that is not finite changes nothing`() {
    let p = Tensor([0], shape: [1]).requiringGradient()
    p.log.sum().backward()
    #expect(!AdamMoments(for: [p]).step([p], number: 1, rate: 0.1).isFinite)
    #expect(p.values == [0])
  }

  @Test func `Nothing is recorded inside an unrecorded scope, and recording comes back after it`() {
    let p = Tensor([2], shape: [1]).requiringGradient()
    let inside = Tensor.unrecorded { p * p }
    (p * p + inside).sum().backward()
    #expect(p.gradient!.values == [4])
  }
}
