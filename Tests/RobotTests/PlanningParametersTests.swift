// The planner's parameters as JSON: both ways, errors, schema.

import JSON
import Testing

@testable import Robot

struct PlanningParametersTests {
  @Test(arguments: [PlannerParameters(), .low, .baseline]) func `parameters survive JSON`(parameters: PlannerParameters) throws {
    #expect(try PlannerParameters(json: parameters.json) == parameters)
  }

  @Test func `a preset is the start and named members override it`() throws {
    let parameters = try PlannerParameters(json: ["preset": "low", "beam": 5, "transit": 30, "velocity": "zero"])
    var expected = PlannerParameters.low
    (expected.budget.beam, expected.transit, expected.velocity) = (5, 30, .zero)
    #expect(parameters == expected)
  }

  @Test(arguments: [
    (#"{"beam": 0}"#, #"The planner's parameter "beam" is wrong: expected an integer from 1 to 32."#),
    (#"{"transit": "fast"}"#, #"The planner's parameter "transit" is wrong: expected a number from 10.0 to 80.0."#),
    (#"{"planner": "rrt"}"#, #"The planner's parameter "planner" is wrong: expected one of beam, cem."#),
    (#"{"preset": "huge"}"#, #"The planner's parameter "preset" is wrong: one of full, low, baseline."#),
  ])
  func `a wrong parameter is named`(text: String, message: String) throws {
    let json = try JSON(parsing: text)
    #expect { try PlannerParameters(json: json) } throws: { "\($0)" == message }
  }

  @Test func `the schema has every parameter, with its default, and defaults are in range`() throws {
    let schema = PlannerParameters.schema
    for field in PlannerParameters.fields {
      let property = try #require(schema["properties"]?[field.name])
      #expect(property["default"] == PlannerParameters().json[field.name])
      #expect(property["description"]?.string?.isEmpty == false)
      if let value = property["default"]?.double, let low = property["minimum"]?.double, let high = property["maximum"]?.double {
        #expect(low <= value && value <= high, "\(field.name)")
      }
    }
  }
}
