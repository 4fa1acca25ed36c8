// Recipes as files that people and agents edit: is one right, and where do two differ in what they mean? Presets and defaults are written
// out first, so that a setting which is left out equals one that says the default. `enpire recipe` prints what is found here.

import Foundation
public import JSON
import Robot
import Workflow

public enum RecipeFile {
  /// A mistake with its place, `file:line:column`.
  public struct Fault: Sendable, Equatable {
    public let place: String
    public let problem: String
  }

  /// All mistakes of the file; none for a recipe that can be used.
  public static func faults(at path: String) throws -> [Fault] {
    let text = try read(path)
    do {
      return Recipe.faults(in: try JSON(parsing: text)).map { fault in
        let place = fault.pointer.place(in: text, key: fault.isKey)
        return Fault(place: "\(path):\(place.line):\(place.column)", problem: fault.description)
      }
    } catch { return [Fault(place: "\(path):\(error.line):\(error.column)", problem: error.message)] }
  }

  /// A setting in which two recipes differ; nil where one of them has no such setting.
  public struct Difference: Sendable, Equatable {
    public let setting: String
    public let old: JSON?, new: JSON?
  }

  /// Every setting with its value, by its dotted name, as `bc.schedule.updates`.
  public static func settings(at path: String) throws -> [(name: String, value: JSON)] {
    if let fault = try faults(at: path).first { throw StepFailure("recipe: " + fault.problem, at: fault.place) }
    let recipe = try Recipe(JSON(parsing: read(path)))
    var json = recipe.json
    json["heuristic"] = try PlannerParameters(json: recipe.heuristic).json
    json["heuristic"]?["seed"] = nil
    return leaves(of: json, below: "")
  }

  public static func differences(from old: String, to new: String) throws -> [Difference] {
    let (old, new) = (try settings(at: old), try settings(at: new))
    let (before, after) = (
      Dictionary(uniqueKeysWithValues: old.map { ($0.name, $0.value) }), Dictionary(uniqueKeysWithValues: new.map { ($0.name, $0.value) })
    )
    let names = new.map(\.name) + old.map(\.name).filter { after[$0] == nil }
    return names.filter { before[$0] != after[$0] }.map { Difference(setting: $0, old: before[$0], new: after[$0]) }
  }

  private static func leaves(of json: JSON, below name: String) -> [(name: String, value: JSON)] {
    guard let members = json.object else { return [(name, json)] }
    return members.flatMap { leaves(of: $0.value, below: name.isEmpty ? $0.key : name + "." + $0.key) }
  }

  private static func read(_ path: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else { throw StepFailure("recipe \(path) cannot be read") }
    return [UInt8](data)
  }
}

extension RecipeFile {
  /// What `enpire-worker recipe` answers: one JSON object, for `validate FILE…`, `diff OLD NEW` and `threads FILE [REGIME]`.
  public static func answer(_ arguments: [String]) -> JSON {
    do {
      switch (arguments.first, arguments.count) {
      case ("validate", 2...):
        let files = try arguments.dropFirst().map { path -> JSON in
          let faults = try faults(at: path).map { ["place": .string($0.place), "problem": .string($0.problem)] as JSON }
          return ["file": .string(path), "faults": .array(faults)]
        }
        return ["recipes": .array(files)]
      case ("diff", 3):
        let differences = try differences(from: arguments[1], to: arguments[2]).map { difference -> JSON in
          ["setting": .string(difference.setting), "old": difference.old ?? .null, "new": difference.new ?? .null]
        }
        return ["differences": .array(differences)]
      case ("threads", 2...3):
        if let fault = try faults(at: arguments[1]).first { throw StepFailure("recipe: " + fault.problem, at: fault.place) }
        return try ThreadTrial(Recipe(JSON(parsing: read(arguments[1]))), regime: arguments.dropFirst(2).first.flatMap(Recipe.Regime.init)).json
      case ("schema", 1): return Recipe.schema
      default: return ["error": "usage: recipe validate FILE… | diff OLD NEW | threads FILE [REGIME] | schema"]
      }
    } catch let failure as StepFailure {
      return [
        "error": .string(failure.sentence), "hint": failure.hint.map { .string($0) } ?? .null, "place": failure.place.map { .string($0) } ?? .null,
      ]
    } catch { return ["error": .string("\(error)")] }
  }
}
