// Recorded numbers as a table: NumPy's .npy, or .csv with or without a line of names.

import Foundation
import NumPy

struct NumberTable {
  let array: NumPyArray
  var count: Int { array.shape[0] }
  subscript(rows: Range<Int>) -> [[Double]] { rows.map { Array(array[row: $0]) } }

  /// - Parameters:
  ///   - columns: how many there must be; nil for a vector.
  ///   - gaps: whether a value may be missing (not a number).
  init(_ file: InputFile, columns: Int?, gaps: Bool = false) throws {
    if file.fileName.hasSuffix(".csv") {
      array = try Self.csv(file, columns: columns)
    } else {
      do { array = try NumPyArray(contentsOf: file.path) } catch let error as NumPyError { throw StepFailure(error.problem, at: file.fileName) }
    }
    let fits = columns.map { array.shape.count == 2 && array.shape[1] == $0 } ?? (array.shape.count == 1)
    guard fits else { throw StepFailure("has shape \(array.shape) where [N\(columns.map { ", \($0)" } ?? "")] is wanted", at: file.fileName) }
    guard gaps || array.values.allSatisfy(\.isFinite) else {
      let row = array.values.firstIndex { !$0.isFinite }! / max(1, columns ?? 1)
      throw StepFailure("holds a value in row \(row) that is not a finite number", at: file.fileName)
    }
  }

  /// Those columns alone.
  func taking(_ columns: [Int]) -> NumberTable {
    let values = (0..<count).flatMap { row in
      let cells = Array(array[row: row])
      return columns.map { cells[$0] }
    }
    return NumberTable(array: NumPyArray(shape: [count, columns.count], values: values))
  }

  private init(array: NumPyArray) { self.array = array }

  /// What the first line of a .csv calls the columns; nothing for numbers and other files.
  static func names(_ file: InputFile) -> [String] {
    guard file.fileName.hasSuffix(".csv"), let data = FileManager.default.contents(atPath: file.path) else { return [] }
    let line = text(data).prefix { !$0.isNewline }
    let names = line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
    return names.contains { Double($0) != nil } ? [] : names
  }

  /// Without the mark that some programs put before it.
  private static func text(_ data: Data) -> Substring {
    let text = String(decoding: data, as: UTF8.self)
    return text.hasPrefix("\u{feff}") ? text.dropFirst() : text[...]
  }

  private static func csv(_ file: InputFile, columns: Int?) throws -> NumPyArray {
    guard let data = FileManager.default.contents(atPath: file.path) else { throw StepFailure("cannot be read", at: file.fileName) }
    var values: [Double] = []
    var rows = 0
    // A line may end in two characters, which are one here.
    for (number, line) in text(data).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      guard !line.allSatisfy(\.isWhitespace) else { continue }
      let cells = line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
      let numbers = cells.compactMap(Double.init)
      // The first line may hold the columns' names.
      if rows == 0, values.isEmpty, numbers.isEmpty { continue }
      guard numbers.count == cells.count, numbers.count == columns ?? 1, numbers.allSatisfy(\.isFinite) else {
        throw StepFailure("holds '\(line.prefix(60))' where \(columns ?? 1) numbers are wanted", at: "\(file.fileName):\(number + 1)")
      }
      values += numbers
      rows += 1
    }
    return NumPyArray(shape: columns.map { [rows, $0] } ?? [rows], values: values)
  }
}
