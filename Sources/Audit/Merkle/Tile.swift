/// Where 256 neighbouring hashes of the tree are kept together (C2SP tlog-tiles).
///
/// Tile `index` of `level` has the roots of the subtrees with 256^level leaves, from the (256 · index)-th on. A tile at the right
/// edge has fewer than 256.
package struct Tile: Hashable, Sendable {
    /// How many hashes a full one has.
    package static let fullWidth = 256

    /// 0 for leaf hashes; at most 63.
    package let level: Int
    /// Which one within the level, from 0.
    package let index: Int64
    /// How many hashes it has, 1 to 256.
    package let width: Int

    /// Names a tile.
    ///
    /// - Parameters:
    ///   - level: 0 for leaf hashes; 0 to 63.
    ///   - index: Which one within the level, from 0.
    ///   - width: How many hashes it has, 1 to 256.
    package init(level: Int, index: Int64, width: Int = Tile.fullWidth) {
        precondition((0...63).contains(level) && index >= 0 && (1...Self.fullWidth).contains(width))
        self.level = level
        self.index = index
        self.width = width
    }

    /// Reads `tile/<L>/<N>[.p/<W>]`; `nil` for anything but the one way to write it.
    package init?(path: some StringProtocol) {
        let parts = path.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let level = Decimal.number(parts[1]), level <= 63,
            let (index, width) = TilePath.parse(parts[2])
        else { return nil }
        self.init(level: Int(level), index: index, width: width)
        guard self.path.utf8.elementsEqual(path.utf8) else { return nil }
    }

    /// The tile of a tree at a place, as wide as it is there; `nil` when the tree has none.
    ///
    /// - Parameters:
    ///   - level: 0 for leaf hashes; 0 to 63.
    ///   - index: Which one within the level, from 0.
    ///   - size: How many leaves the tree has.
    package init?(level: Int, index: Int64, in size: Int64) {
        guard let width = TilePath.width(of: index, among: size >> Int64(8 * level)) else { return nil }
        self.init(level: level, index: index, width: width)
    }

    /// `tile/<L>/<N>[.p/<W>]`, its path in an exported folder and on the server.
    package var path: String { "tile/\(level)/\(TilePath.text(index: index, width: width))" }

    /// Whether nothing will ever be added to it.
    package var isFull: Bool { width == Self.fullWidth }

    /// All tiles that a tree consists of, level by level, from left to right.
    ///
    /// - Parameters:
    ///   - size: How many leaves the tree has.
    ///   - old: Tiles that a tree of this size has already, just as wide, are left out.
    /// - Returns: Full ones, and at most one for each level that is not.
    package static func all(in size: Int64, after old: Int64 = 0) -> [Tile] {
        var tiles: [Tile] = []
        for level in 0... {
            let count = size >> Int64(8 * level)
            guard count > 0 else { return tiles }
            let known = old >> Int64(8 * level)
            guard count > known else { continue }
            for index in (known / 256)...((count - 1) / 256) {
                if let tile = Tile(level: level, index: index, in: size) { tiles.append(tile) }
            }
        }
        return tiles
    }
}

/// Where up to 256 neighbouring entries of the log are kept together (C2SP tlog-tiles, "entry bundles").
package struct EntryTile: Hashable, Sendable {
    /// Which one, from 0; its first entry is the (256 · index)-th of the log.
    package let index: Int64
    /// How many entries it has, 1 to 256.
    package let width: Int

    /// Names a bundle.
    ///
    /// - Parameters:
    ///   - index: Which one, from 0.
    ///   - width: How many entries it has, 1 to 256.
    package init(index: Int64, width: Int = Tile.fullWidth) {
        precondition(index >= 0 && (1...Tile.fullWidth).contains(width))
        self.index = index
        self.width = width
    }

    /// Reads `tile/entries/<N>[.p/<W>]`; `nil` for anything but the one way to write it.
    package init?(path: some StringProtocol) {
        let parts = path.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let (index, width) = TilePath.parse(parts[2]) else { return nil }
        self.init(index: index, width: width)
        guard self.path.utf8.elementsEqual(path.utf8) else { return nil }
    }

    /// `tile/entries/<N>[.p/<W>]`, its path in an exported folder and on the server.
    package var path: String { "tile/entries/\(TilePath.text(index: index, width: width))" }

    /// The places of its entries in the log, from 0.
    package var indices: Range<Int64> { index * 256..<index * 256 + Int64(width) }

    /// All bundles of a log with so many entries, in order.
    package static func all(in size: Int64) -> [EntryTile] {
        (0..<(size + 255) / 256).map { EntryTile(index: $0, width: Int(min(256, size - $0 * 256))) }
    }
}
