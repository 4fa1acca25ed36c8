// What people have marked as bad: results that came of it are not on this page.

import Foundation
import JSON

enum TaintSection {
  static func html(_ study: Study) -> Page.Section? {
    if study.taints.isEmpty { return nil }
    let rows: [[HTML]] = study.taints.map { mark in
      [
        "\(mark["what"]?.string ?? "") <code>\(mark["name"]?.string ?? "")</code>", "\(time(mark["since"]))", "\(time(mark["until"]))",
        "\(mark["reason"]?.string ?? "")", "\(mark["by"]?.string ?? "")",
      ]
    }
    let table = Table(
      "Marked as bad. What came of it is in quarantine: nothing on this page rests on it.",
      [("", ""), ("from", ""), ("until", ""), ("reason", ""), ("by", "")], rows: rows)
    return Page.Section(id: "marks", title: "Marked as bad", body: "\(table.html)")
  }

  /// UTC.
  private static func time(_ seconds: JSON?) -> String { seconds?.double.map { Date(timeIntervalSince1970: $0).formatted(.iso8601) } ?? "–" }
}
