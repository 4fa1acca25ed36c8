// Sends requests by libcurl's easy interface. Blocking: call it from a thread of its own, never from the cooperative pool.
// A client keeps its connection open between requests and is for one thread at a time.

internal import CCurl
internal import Foundation

public final class HTTPClient {
  private let curl: OpaquePointer

  private static let ready: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  public init() {
    precondition(Self.ready, "libcurl does not start")
    curl = OpaquePointer(curl_easy_init()!)
  }

  deinit { curl_easy_cleanup(UnsafeMutableRawPointer(curl)) }

  /// Sends one request and waits for its response.
  public func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    let curl = UnsafeMutableRawPointer(curl)
    curl_easy_reset(curl)
    func failure(_ code: HTTPError.Code, _ reason: String) -> HTTPError {
      HTTPError(code: code, method: request.method, address: Self.publicPart(of: request.url), reason: reason)
    }
    guard request.headers.allSatisfy({ !($0.name + $0.value).contains { $0.isNewline || $0 == "\0" } }) else {
      throw failure(.badRequest, "a header holds a line break")
    }

    let exchange = Exchange(limit: request.largestBody)
    let box = Unmanaged.passUnretained(exchange).toOpaque()
    let milliseconds = request.timeout.components.seconds * 1000 + request.timeout.components.attoseconds / 1_000_000_000_000_000
    var lines: UnsafeMutablePointer<curl_slist>?

    for header in request.headers { lines = curl_slist_append(lines, header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)") }
    lines = curl_slist_append(lines, "Expect:")
    defer { curl_slist_free_all(lines) }

    _ = enpire_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
    _ = enpire_curl_set_string(curl, CURLOPT_URL, request.url)
    _ = enpire_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "http,https")
    _ = enpire_curl_set_string(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
    _ = enpire_curl_set_string(curl, CURLOPT_ACCEPT_ENCODING, "")
    _ = enpire_curl_set_long(curl, CURLOPT_FOLLOWLOCATION, request.redirects > 0 ? 1 : 0)
    _ = enpire_curl_set_long(curl, CURLOPT_MAXREDIRS, request.redirects)
    _ = enpire_curl_set_long(curl, CURLOPT_TIMEOUT_MS, max(1, Int(milliseconds)))
    _ = enpire_curl_set_pointer(curl, CURLOPT_HTTPHEADER, lines)
    _ = enpire_curl_set_sink(curl, CURLOPT_WRITEFUNCTION, takeBody)
    _ = enpire_curl_set_pointer(curl, CURLOPT_WRITEDATA, box)
    _ = enpire_curl_set_sink(curl, CURLOPT_HEADERFUNCTION, takeHeader)
    _ = enpire_curl_set_pointer(curl, CURLOPT_HEADERDATA, box)
    if request.method == "HEAD" { _ = enpire_curl_set_long(curl, CURLOPT_NOBODY, 1) }
    if let body = request.body {
      _ = enpire_curl_set_size(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
      body.withUnsafeBytes { _ = enpire_curl_set_pointer(curl, CURLOPT_COPYPOSTFIELDS, $0.baseAddress ?? UnsafeRawPointer(bitPattern: 1)) }
    }
    _ = enpire_curl_set_string(curl, CURLOPT_CUSTOMREQUEST, request.method)

    let code = withExtendedLifetime(exchange) { curl_easy_perform(curl) }
    if exchange.overflow { throw failure(.tooLarge, "the body is longer than \(request.largestBody) bytes") }
    guard code == CURLE_OK else {
      let reason = String(cString: curl_easy_strerror(code)).lowercasedFirst
      switch code {
      case CURLE_OPERATION_TIMEDOUT: throw failure(.timeout, "no complete answer within \(request.timeout)")
      case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: throw failure(.unreachable, reason)
      case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: throw failure(.badRequest, reason)
      default: throw failure(.other, reason)
      }
    }
    return HTTPResponse(status: enpire_curl_status(curl), headers: exchange.headers, body: exchange.body)
  }

  /// The URL without user, query and fragment.
  static func publicPart(of url: String) -> String {
    var rest = url.prefix { $0 != "?" && $0 != "#" }
    guard let scheme = rest.range(of: "://") else { return String(rest) }
    let head = rest[..<scheme.upperBound]
    rest = rest[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" }
    let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
    return String(head) + host + rest[authority.endIndex...]
  }
}

/// What has been received so far.
private final class Exchange {
  let limit: Int
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  var overflow = false
  init(limit: Int) { self.limit = limit }
}

private let takeBody: enpire_curl_sink = { bytes, size, count, to in
  guard let bytes, let to else { return 0 }
  let exchange = Unmanaged<Exchange>.fromOpaque(to).takeUnretainedValue()
  guard exchange.body.count + size * count <= exchange.limit else {
    exchange.overflow = true
    return 0
  }
  exchange.body += UnsafeRawBufferPointer(start: bytes, count: size * count)
  return size * count
}

private let takeHeader: enpire_curl_sink = { bytes, size, count, to in
  guard let bytes, let to else { return 0 }
  let exchange = Unmanaged<Exchange>.fromOpaque(to).takeUnretainedValue()
  let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self)
  if line.hasPrefix("HTTP/") {
    // A new response begins: one after a redirect, or after 100 Continue.
    exchange.headers = []
    exchange.body = []
  } else if let colon = line.firstIndex(of: ":") {
    exchange.headers.append((String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)))
  }
  return size * count
}

extension String {
  fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
