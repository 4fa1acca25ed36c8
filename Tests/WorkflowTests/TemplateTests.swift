import JSON
import Testing

@testable import Workflow

@Suite struct `Templates` {
  private func expand(_ json: JSON) throws -> JSON {
    try Template.expand(json) { reference, _ in
      switch reference {
      case .variable("n"): 3
      case .variable("name"): "train"
      case .matrix("seed"): 7
      default: throw TemplateError(sentence: "unknown", hint: "")
      }
    }
  }

  @Test func `a string that is one reference takes the value's type`() throws {
    #expect(try expand("${var.n}") == 3)
    #expect(try expand("n=${var.n}") == "n=3")
    #expect(try expand(["a": ["${matrix.seed}", 1]]) == ["a": [7, 1]])
  }

  @Test func `variables are filled in inside other references`() throws {
    #expect(try expand("${step.${var.name}[seed=${matrix.seed}].policy}") == "${step.train[seed=7].policy}")
  }

  @Test func `two dollars stand for one and survive until the end`() throws {
    let expanded = try expand("$${step.demos.dataset} costs 3 $")
    #expect(expanded == "$${step.demos.dataset} costs 3 $")
    #expect(try Template.resolve(expanded) { _ in nil } == "${step.demos.dataset} costs 3 $")
  }

  @Test(arguments: [
    ("${step.a}", StepReference(step: "a", output: nil, optional: false)),
    ("${step.a.b}", StepReference(step: "a", output: "b", optional: false)),
    ("${step.a[x=1.5].b?}", StepReference(step: "a[x=1.5]", output: "b", optional: true)),
    ("${step.evolve[agent=a]/1/train.policy}", StepReference(step: "evolve[agent=a]/1/train", output: "policy", optional: false)),
    ("${step.a[*].b}", StepReference(step: "a[*]", output: "b", optional: false)),
  ]) func `references to steps`(text: String, expected: StepReference) throws {
    #expect(try Template.references(in: .string(text)) == [.step(expected)])
  }

  @Test func `wrong references say what is wrong`() {
    func sentence(_ text: String) -> String {
      do { _ = try Template.parse(text) } catch let error as TemplateError { return error.sentence } catch {}
      return "none"
    }
    #expect(sentence("${x") == "'${' without '}'")
    #expect(sentence("${x}") == "'${x}' has no root")
    #expect(sentence("${vars.x}") == "'${vars.x}' has an unknown root 'vars'")
  }
}
