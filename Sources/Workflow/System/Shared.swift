// A value kept apart from what has it: for large ones that most have not, or that many share.

final class Shared<Value> {
  let value: Value
  init(_ value: Value) { self.value = value }
}

extension Shared: Sendable where Value: Sendable {}
