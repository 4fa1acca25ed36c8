// One HTTP exchange as values: what is asked, what came back, why nothing did. Knows no server and no API.

/// A request. Header names and values must not hold line breaks.
public struct HTTPRequest: Sendable {
  public var method: String
  /// `http` or `https`.
  public var url: String
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]?
  /// For the whole exchange.
  public var timeout: Duration
  /// How many redirects to follow. None unless asked for: a redirect can carry a key to another host.
  public var redirects: Int
  /// A longer body is an error, so that a server cannot fill the memory.
  public var largestBody: Int

  public init(
    _ method: String = "GET", _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
    timeout: Duration = .seconds(60), redirects: Int = 0, largestBody: Int = 64 << 20
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.redirects = redirects
    self.largestBody = largestBody
  }
}

/// A response, of whatever status: 404 is an answer, not an error.
public struct HTTPResponse: Sendable {
  public var status: Int
  /// In the order received, of the last response if there were redirects.
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]

  public init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The first header of that name, in any case.
  public func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }

  public var text: String { String(decoding: body, as: UTF8.self) }
}

/// No response. Names the method and the address without user, query and headers, where secrets may be.
public struct HTTPError: Error, Equatable, CustomStringConvertible {
  public enum Code: Sendable { case badRequest, unreachable, timeout, tooLarge, other }

  public let code: Code
  public let method: String
  public let address: String
  public let reason: String

  public var description: String { "\(method) \(address): \(reason)" }
}
