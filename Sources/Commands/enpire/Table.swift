// Text in columns and paragraphs, within the terminal if it goes to one.

/// Rows with their columns below each other. If they do not fit, the last column goes on in further lines, and the widest of the others are cut.
func table(_ rows: [[String]], columns available: Int? = Terminal.outputColumns) -> [String] {
  guard let count = rows.first?.count, count > 0 else { return [] }
  // A name may hold a line's end.
  let rows = rows.map { $0.map { $0.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: "\\n") } }
  var widths = (0..<count).map { column in rows.map { $0[column].count }.max() ?? 0 }
  if let available { fit(&widths, into: available) }
  return rows.flatMap { row in
    var line = ""
    for (cell, width) in zip(row, widths).dropLast() {
      let cell = Terminal.cut(cell, width)
      line += cell + String(repeating: " ", count: width - cell.count + 2)
    }
    let indent = line.count
    return fold(line + row[count - 1], indent: indent, columns: available)
  }
}

/// Takes columns from the widths until they fit, but never so many that nothing of a cell could be recognised.
private func fit(_ widths: inout [Int], into available: Int) {
  let last = widths.count - 1
  func excess() -> Int { widths.reduce(2 * last - available, +) }
  widths[last] -= min(max(0, excess()), max(0, widths[last] - 24))
  while excess() > 0, let widest = widths.dropLast().indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > 12 { widths[widest] -= 1 }
}

/// A text as lines of the terminal, broken between words; lines after the first begin with so many spaces.
func fold(_ text: String, indent: Int, columns available: Int? = Terminal.outputColumns) -> [String] {
  func trimmed(_ line: String) -> String { String(line.reversed().drop { $0 == " " }.reversed()) }
  guard let available, available - indent >= 16, text.count > available else { return [trimmed(text)] }
  var lines: [String] = []
  var rest = text[...]
  while rest.count > available {
    let end = rest.index(rest.startIndex, offsetBy: available)
    // Where there is no space, within the word.
    let from = rest.index(rest.startIndex, offsetBy: min(indent, available - 1) + 1)
    let split = rest[from..<rest.index(after: end)].lastIndex(of: " ") ?? end
    lines.append(trimmed(String(rest[..<split])))
    rest = (String(repeating: " ", count: indent) + rest[split...].drop { $0 == " " })[...]
  }
  return lines + [trimmed(String(rest))]
}
