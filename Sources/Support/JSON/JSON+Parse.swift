// Text to value, by jansson: strict JSON, UTF-8 only, duplicate keys refused.

internal import CJansson
internal import OrderedCollections

/// Text that is not JSON: what is wrong and where (line and column from 1).
public struct JSONSyntaxError: Error, Equatable {
  public let message: String
  public let line: Int
  public let column: Int
}

extension JSON {
  /// Parses one JSON document.
  public init(parsing text: some Collection<UInt8>) throws(JSONSyntaxError) {
    var failure = json_error_t()
    let bytes = Array(text)
    let flags = Int(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)
    let root = bytes.withUnsafeBytes { raw in
      json_loadb(raw.baseAddress?.assumingMemoryBound(to: CChar.self), raw.count, flags, &failure)
    }
    guard let root else {
      let message = withUnsafeBytes(of: &failure.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      throw JSONSyntaxError(message: message, line: max(1, Int(failure.line)), column: max(1, Int(failure.column)))
    }
    defer { enpire_json_decref(root) }
    self = JSON(root)
  }

  public init(parsing text: String) throws(JSONSyntaxError) { try self.init(parsing: text.utf8) }

  private init(_ value: UnsafeMutablePointer<json_t>) {
    switch enpire_json_typeof(value) {
    case JSON_OBJECT:
      var members = OrderedDictionary<String, JSON>(minimumCapacity: json_object_size(value))
      var iterator = json_object_iter(value)
      while let current = iterator {
        members[String(cString: json_object_iter_key(current))] = JSON(json_object_iter_value(current))
        iterator = json_object_iter_next(value, current)
      }
      self = .object(members)
    case JSON_ARRAY:
      self = .array((0..<json_array_size(value)).map { JSON(json_array_get(value, $0)) })
    case JSON_STRING:
      let text = UnsafeRawBufferPointer(start: json_string_value(value), count: json_string_length(value))
      self = .string(String(decoding: text, as: UTF8.self))
    case JSON_INTEGER: self = .integer(Int(json_integer_value(value)))
    case JSON_REAL: self = .number(json_real_value(value))
    case JSON_TRUE: self = .bool(true)
    case JSON_FALSE: self = .bool(false)
    default: self = .null
    }
  }
}
