/// Text in columns that are as wide as their widest cell, two spaces apart (or as told).
enum Columns {
  /// - Parameter glue: stands between two columns.
  /// - Returns: one line per row, without a line break at the end. A last cell is not padded; empty last cells leave
  ///   no trailing space but the glue before them, as the reference's tables do.
  static func render(_ rows: [[String]], glue: String = "  ") -> String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return rows.map { row in
      row.enumerated().map { column, cell in
        column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
      }.joined(separator: glue)
    }.joined(separator: "\n")
  }
}
