import JSON
import Testing

@Suite struct `JSON values` {
  @Test func `the canonical form sorts keys and knows no difference between 1 and 1.0`() throws {
    let a = try JSON(parsing: #"{"b": [1.0, 2.5, "ä\n"], "a": {"y": null, "x": true}}"#)
    #expect(a.canonical == #"{"a":{"x":true,"y":null},"b":[1,2.5,"ä\n"]}"#)
    #expect(a == ["a": ["x": true, "y": nil], "b": [1, 2.5, "ä\n"]])
    #expect(try JSON(parsing: a.pretty) == a)
  }

  @Test func `the members of an object are found without parsing their values`() throws {
    let text = Array(" {\"a\" : [1, {\"b\": \"}\\\"\"}] ,\n\"\\u0062\":2,\"c\":{} }\n".utf8)
    let members = try #require(JSONPointer.members(ofObject: text, in: 0..<text.count))
    #expect(members.map(\.name) == ["a", "b", "c"])
    #expect(members.map { String(decoding: text[$0.value], as: UTF8.self) } == ["[1, {\"b\": \"}\\\"\"}]", "2", "{}"])
    #expect(members.map { String(decoding: text[$0.bytes], as: UTF8.self) }[1] == "\"\\u0062\":2")
    #expect(JSONPointer.members(ofObject: Array("{}".utf8), in: 0..<2)?.isEmpty == true)
  }

  @Test(
    arguments: [
      "", "[]", "{", "{\"a\"}", "{\"a\":}", "{\"a\": 1,}", "{\"a\": 1 2}", "{\"a\": 1} x", "{\"a\": 1 \"b\": 2}", "{\"a\": 1, \"a\": 2}",
      "{\"a\": \"x}", "{a: 1}", "{\"a\": 1,, \"b\": 2}", "{\"a\" 1}", "{\"a\": 1\u{1}}", "{\"man-l < \\\"$1\\\" >",
      "{\"a\\", "{\"a\": \"b\\",
    ])
  func `what is not an object's text has no members`(_ text: String) {
    #expect(JSONPointer.members(ofObject: Array(text.utf8), in: 0..<text.utf8.count) == nil)
  }

  @Test func `members keep their order, duplicate keys are refused`() throws {
    #expect(try JSON(parsing: #"{"z":1,"a":2}"#).compact == #"{"z":1,"a":2}"#)
    #expect(throws: JSONSyntaxError.self) { try JSON(parsing: #"{"a":1,"a":2}"#) }
  }

  @Test(arguments: [
    (["a"], 1, 7, false), (["b", "1"], 2, 12, false), (["b", "1", "c"], 2, 18, false), (["b", "1", "c"], 2, 13, true),
    (["b", "nowhere"], 2, 6, false),
  ]) func `a pointer's place is found in the text`(tokens: [String], line: Int, column: Int, key: Bool) {
    let text = "{\"a\": 1,\n\"b\": [\"}\", {\"c\": 2}]}"
    let place = JSONPointer(tokens).place(in: Array(text.utf8), key: key)
    #expect(place == TextPlace(line: line, column: column))
  }

  @Test func `pointers escape as RFC 6901 says`() {
    #expect(JSONPointer(["a/b", "m~n", "0"]).description == "/a~1b/m~0n/0")
  }
}
