internal import Glibc

/// A table as Markdown, with its columns aligned for those who read it in a terminal.
package struct Table {
    package let title: String
    package let columns: [String]
    package var rows: [[String]] = []

    package init(title: String, columns: [String], rows: [[String]] = []) {
        self.title = title
        self.columns = columns
        self.rows = rows
    }

    package var text: String {
        let widths = columns.indices.map { column in
            ([columns[column]] + rows.map { $0[column] }).map(\.count).max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).enumerated().map { index, pair in
                let space = String(repeating: " ", count: pair.1 - pair.0.count)
                return index == 0 ? pair.0 + space : space + pair.0
            }
            return "| " + padded.joined(separator: " | ") + " |\n"
        }
        let rule = widths.enumerated().map { index, width in
            String(repeating: "-", count: max(1, width - 1)) + (index == 0 ? "-" : ":")
        }
        return "### \(title)\n" + line(columns) + line(rule) + rows.map(line).joined()
    }

    /// Thousands apart.
    package static func whole(_ value: Double) -> String {
        let digits = String(Int64(value.rounded()))
        var text = ""
        for (index, digit) in digits.reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3), digit != "-" { text = "," + text }
            text = String(digit) + text
        }
        return text
    }

    /// With so many digits after the point.
    package static func decimal(_ value: Double, _ digits: Int) -> String {
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        let fraction = String(scaled % Int64(scale))
        let padding = String(repeating: "0", count: digits - fraction.count)
        return (value < 0 ? "-" : "") + "\(scaled / Int64(scale)).\(padding)\(fraction)"
    }
}

/// What is going on now, for who waits at a terminal; the result alone goes to standard output.
package enum Progress {
    package static func say(_ text: String) {
        write(isatty(2) == 1 ? "\r\u{1B}[K\(text)" : "\(text)\n")
    }

    package static func clear() {
        if isatty(2) == 1 { write("\r\u{1B}[K") }
    }

    private static func write(_ text: String) {
        // Nobody is harmed when nobody reads it.
        _ = Glibc.write(2, text, text.utf8.count)
    }
}
