import Testing
import Tensor

@Suite struct TensorTests {
  @Test func `A gradient is what finite differences say, for every operation used in training`() {
    func loss(_ x: Tensor, _ w: Tensor, _ b: Tensor) -> Tensor {
      let hidden = x.linear(w, b).layerNormed
      let parts = Tensor.concatenate([hidden.silu.slice(0..<2, of: 1), hidden.tanh.slice(2..<3, of: 1)], along: 1)
      let more = (hidden.softplus + hidden.clamped(-1...1).exp + (hidden.squared + 1).log - hidden.relu * hidden / (hidden.magnitude + 2)).mean(
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
