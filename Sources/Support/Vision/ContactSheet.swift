// Many small pictures with captions on one sheet: for people who look before they trust.

public struct ContactSheet {
  public struct Cell {
    public var image: Image
    /// One short line of ASCII below the picture.
    public var caption: String
    /// Drawn as a frame around the picture; nil for none.
    public var mark: Colour?

    public init(_ image: Image, caption: String = "", mark: Colour? = nil) {
      self.image = image
      self.caption = caption
      self.mark = mark
    }
  }

  /// Row by row; rows may differ in length.
  public var rows: [[Cell]]
  /// Side of one cell's picture, pixels.
  public var cell: Int
  public var title: String

  public init(title: String = "", cell: Int = 128, rows: [[Cell]]) {
    self.title = title
    self.cell = cell
    self.rows = rows
  }

  /// Pictures are fitted into square cells.
  public func image() -> Image {
    let (gap, captionHeight, titleHeight) = (6, 14, title.isEmpty ? 0 : 22)
    let columns = max(1, rows.map(\.count).max() ?? 1)
    var sheet = Image(
      width: gap + columns * (cell + gap), height: gap + titleHeight + max(1, rows.count) * (cell + captionHeight + gap), filledWith: 255)
    if !title.isEmpty { sheet.text(title, x: Double(gap), y: Double(gap + 14), height: 11) }
    for (row, cells) in rows.enumerated() {
      for (column, one) in cells.enumerated() {
        let (x, y) = (gap + column * (cell + gap), gap + titleHeight + row * (cell + captionHeight + gap))
        let longest = max(one.image.width, one.image.height)
        let (width, height) = (max(1, one.image.width * cell / longest), max(1, one.image.height * cell / longest))
        if let mark = one.mark { sheet.paste(Image(width: width + 6, height: height + 6, colour: mark), x: x - 3, y: y - 3) }
        sheet.paste(one.image.asRGB.resized(width: width, height: height, longest > cell ? .area : .bilinear), x: x, y: y)
        sheet.text(one.caption, x: Double(x), y: Double(y + cell + 11), height: 8)
      }
    }
    return sheet
  }
}

extension Image {
  public init(width: Int, height: Int, colour: Colour) {
    let pixels = (0..<width * height).flatMap { _ in [colour.red, colour.green, colour.blue] }
    self.init(width: width, height: height, channels: 3, pixels: pixels)
  }

  /// The same picture with three channels.
  public var asRGB: Image {
    channels == 3 ? self : Image(width: width, height: height, channels: 3, pixels: pixels.flatMap { [$0, $0, $0] })
  }
}
