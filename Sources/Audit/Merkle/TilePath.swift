/// The last part of a tile's path, which hash tiles and entry bundles share: `x001/x234/067.p/8`.
enum TilePath {
    static func text(index: Int64, width: Int) -> String {
        var groups: [String] = []
        var rest = index
        repeat {
            let digits = String(rest % 1000)
            groups.insert(String(repeating: "0", count: 3 - digits.count) + digits, at: 0)
            rest /= 1000
        } while rest > 0
        let path = groups.dropLast().map { "x\($0)/" }.joined() + groups[groups.count - 1]
        return width == Tile.fullWidth ? path : "\(path).p/\(width)"
    }

    /// Reads what ``text(index:width:)`` writes, and a little more: the caller compares.
    static func parse(_ text: some StringProtocol) -> (index: Int64, width: Int)? {
        var parts = text.split(separator: "/", omittingEmptySubsequences: false)
        var width = Tile.fullWidth
        if parts.count >= 2, parts[parts.count - 2].hasSuffix(".p") {
            guard let number = Decimal.number(parts.removeLast()), (1..<256).contains(number) else { return nil }
            width = Int(number)
            parts[parts.count - 1] = parts[parts.count - 1].dropLast(2)
        }
        // Seven groups hold more than 63 bits.
        guard parts.count <= 7 else { return nil }
        var index: Int64 = 0
        for part in parts {
            let digits = part.drop { $0 == "x" }
            guard digits.utf8.count == 3, digits.utf8.allSatisfy(Decimal.isDigit), let group = Int64(digits) else {
                return nil
            }
            let (product, tooMuch) = index.multipliedReportingOverflow(by: 1000)
            let (sum, overflow) = product.addingReportingOverflow(group)
            guard !tooMuch, !overflow else { return nil }
            index = sum
        }
        // So that nobody overflows who counts what is in the tiles before it.
        return index < Int64.max / 256 ? (index, width) : nil
    }

    /// How many of `count` things the tile at `index` has; `nil` for none.
    static func width(of index: Int64, among count: Int64) -> Int? {
        guard index >= 0, index <= count / 256 else { return nil }
        let width = min(256, count - index * 256)
        return width > 0 ? Int(width) : nil
    }
}

/// Numbers as checkpoints, proofs and paths have them: ASCII digits without leading zeros.
enum Decimal {
    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    static func number(_ text: some StringProtocol) -> Int64? {
        guard let first = text.utf8.first, text.utf8.allSatisfy(isDigit) else { return nil }
        return first == UInt8(ascii: "0") && text.utf8.count > 1 ? nil : Int64(text)
    }
}
