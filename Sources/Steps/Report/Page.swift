// The page around the sections: head, contents, style. No scripts, nothing from elsewhere.

enum Page {
  /// A part of the page with a heading, which the contents list.
  struct Section {
    let id: String
    let title: String
    let body: HTML
  }

  static func document(title: String, sections: [Section]) -> HTML {
    let contents: [HTML] = sections.dropFirst().map { "<a href=\"#\($0.id)\">\($0.title)</a>" }
    let body: [HTML] = sections.enumerated().map { index, section in
      index == 0
        ? "<header id=\"\(section.id)\"><p class=\"kicker\">enpire report</p>\n<h1>\(title)</h1>\n\(section.body)</header>\n<nav aria-label=\"Contents\">\(contents)</nav>\n<main>\n"
        : "<section id=\"\(section.id)\"><h2>\(section.title)</h2>\n\(section.body)</section>\n"
    }
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title): enpire report</title>
      <style>\(Stylesheet.css)</style>
      </head>
      <body>
      \(body)</main>
      </body>
      </html>

      """
  }
}
