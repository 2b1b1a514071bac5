/// Rows under headings, aligned for people.
struct Table {
    private let headings: [String]
    private var rows: [[String]] = []

    init(_ headings: String...) {
        self.headings = headings
    }

    mutating func add(_ cells: String...) {
        rows.append(cells.map(Self.printable))
    }

    /// The lines, without a line break at the end.
    var text: String {
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            return line
        }.joined(separator: "\n")
    }

    /// Control characters from stored text must not reach a terminal.
    static func printable(_ text: String) -> String {
        String(text.map { $0.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } ? "·" : $0 })
    }
}
