// A change of a recipe: one value at a JSON pointer, from what to what. A recipe is any JSON object; what it means is not known here.

public import JSON

public struct RecipeChange: Sendable, Hashable {
  /// A JSON pointer (RFC 6901), as `/planner/margin`.
  public let path: String
  /// Nil where there was, or shall be, nothing.
  public let from: JSON?
  public let to: JSON?

  public init(path: String, from: JSON?, to: JSON?) {
    self.path = path
    self.from = from
    self.to = to
  }

  /// What turns `old` into `new`, by path; lists count as one value.
  public static func between(_ old: JSON, _ new: JSON) -> [RecipeChange] { differences(old, new, at: JSONPointer()) }

  private static func differences(_ old: JSON?, _ new: JSON?, at pointer: JSONPointer) -> [RecipeChange] {
    if old == new { return [] }
    guard let before = old?.object, let after = new?.object else { return [RecipeChange(path: pointer.description, from: old, to: new)] }
    return Set(before.keys).union(after.keys).sorted().flatMap { differences(before[$0], after[$0], at: pointer / $0) }
  }

  /// As `planner.margin from 4 to 6`.
  public var words: String {
    let name = path.dropFirst().replacing("/", with: ".")
    return switch (from, to) {
    case (let from?, let to?): "\(name) from \(Self.plain(from)) to \(Self.plain(to))"
    case (nil, let to?): "\(name) to \(Self.plain(to)), where nothing was set,"
    case (_, nil): "\(name), by removing it,"
    }
  }

  private static func plain(_ value: JSON) -> String { value.string ?? value.compact }

  public var json: JSON {
    var json: JSON = ["path": .string(path)]
    json["from"] = from
    json["to"] = to
    return json
  }

  init(json: JSON) { self.init(path: json["path"]?.string ?? "", from: json["from"], to: json["to"]) }
}

extension JSONPointer {
  /// From its text; nil if it does not begin with a slash (the empty pointer means the whole document).
  init?(text: String) {
    guard text.isEmpty || text.hasPrefix("/") else { return nil }
    self.init(
      text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
        String($0.replacing("~1", with: "/").replacing("~0", with: "~"))
      })
  }
}

extension JSON {
  /// The value at a JSON pointer; nil if there is none. Setting makes the objects on the way; nil removes the member.
  /// Lists are read by index but not written into.
  public subscript(at path: String) -> JSON? {
    get {
      JSONPointer(text: path)?.tokens.reduce(Optional(self)) { value, token in
        value?.array == nil ? value?[token] : Int(token).flatMap { value?[$0] }
      }
    }
    set {
      guard let tokens = JSONPointer(text: path)?.tokens else { return }
      self = Self.setting(self, tokens[...], newValue) ?? .null
    }
  }

  private static func setting(_ value: JSON?, _ path: ArraySlice<String>, _ new: JSON?) -> JSON? {
    guard let first = path.first else { return new }
    var object: JSON = value?.object == nil ? [:] : value!
    object[first] = setting(object[first], path.dropFirst(), new)
    return object
  }

  public func applying(_ changes: [RecipeChange]) -> JSON {
    var recipe = self
    for change in changes { recipe[at: change.path] = change.to }
    return recipe
  }
}
