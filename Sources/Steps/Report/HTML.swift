// Markup as a type: text that is put into it is escaped, so that no name, hypothesis or error message can become markup.
// Serves SVG as well. Knows no page.

struct HTML: ExpressibleByStringInterpolation {
  /// Markup, ready to be written.
  let text: String

  init(stringLiteral text: String) { self.text = text }
  init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }
  private init(markup: String) { text = markup }

  static let none: HTML = ""
  var isEmpty: Bool { text.isEmpty }

  static func + (a: HTML, b: HTML) -> HTML { HTML(markup: a.text + b.text) }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity + 16 * interpolationCount) }

    mutating func appendLiteral(_ literal: String) { text += literal }
    mutating func appendInterpolation(_ markup: HTML) { text += markup.text }
    mutating func appendInterpolation(_ parts: [HTML]) { for part in parts { text += part.text } }
    mutating func appendInterpolation(_ number: Int) { text += String(number) }
    /// A coordinate: to a hundredth.
    mutating func appendInterpolation(_ coordinate: Double) { text += Number.plain(coordinate, places: 2) }

    mutating func appendInterpolation(_ plain: some StringProtocol) {
      for scalar in plain.unicodeScalars {
        switch scalar {
        case "&": text += "&amp;"
        case "<": text += "&lt;"
        case ">": text += "&gt;"
        case "\"": text += "&quot;"
        case "'": text += "&#39;"
        // Control characters have no place in HTML.
        case "\u{0}"..<"\t", "\u{B}"..<" ", "\u{7F}": text += "\u{FFFD}"
        default: text.unicodeScalars.append(scalar)
        }
      }
    }
  }
}

extension [HTML] {
  func joined(_ separator: HTML) -> HTML { "\(enumerated().map { $0 == 0 ? $1 : separator + $1 })" }
}

/// A table with a head. Each cell brings its own markup; the first of a row names the row.
struct Table {
  struct Column {
    let name: String
    /// `n` for numbers, `w` for running text, `p` for a picture.
    var style = ""
  }

  var caption: HTML?
  let columns: [Column]
  var rows: [[HTML]] = []

  init(_ caption: HTML? = nil, _ columns: [(String, String)], rows: [[HTML]] = []) {
    (self.caption, self.columns, self.rows) = (caption, columns.map { Column(name: $0.0, style: $0.1) }, rows)
  }

  var html: HTML {
    guard !rows.isEmpty else { return .none }
    let head: [HTML] = columns.map { "<th scope=\"col\" class=\"\($0.style)\">\($0.name)</th>" }
    let body: [HTML] = rows.map { cells in
      let cells: [HTML] = zip(columns, cells).enumerated().map { index, cell in
        index == 0 ? "<th scope=\"row\" class=\"\(cell.0.style)\">\(cell.1)</th>" : "<td class=\"\(cell.0.style)\">\(cell.1)</td>"
      }
      return "<tr>\(cells)</tr>\n"
    }
    let title: HTML = caption.map { "<caption>\($0)</caption>" } ?? .none
    return "<div class=\"scroll\"><table>\(title)<thead><tr>\(head)</tr></thead>\n<tbody>\(body)</tbody></table></div>\n"
  }
}
