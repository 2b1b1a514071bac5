import Audit
import Testing

@Suite("Tiles")
struct TileTests {
    @Test(
        "have the paths of tlog-tiles",
        arguments: [
            (Tile(level: 0, index: 0), "tile/0/000"), (Tile(level: 0, index: 0, width: 1), "tile/0/000.p/1"),
            (Tile(level: 1, index: 999, width: 255), "tile/1/999.p/255"),
            (Tile(level: 2, index: 1000), "tile/2/x001/000"),
            (Tile(level: 0, index: 1_234_067), "tile/0/x001/x234/067"),
            (Tile(level: 63, index: 1_234_067, width: 8), "tile/63/x001/x234/067.p/8"),
        ]
    )
    func paths(tile: Tile, path: String) {
        #expect(tile.path == path)
        #expect(Tile(path: path) == tile)
    }

    @Test(
        "have no other paths",
        arguments: [
            "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/-1/000",
            "tile/64/000", "tile/0/x000/000", "tile/0/x001", "tile/0/001/000", "tile/0/x001/x000", "tile/0/000.p",
            "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/+1", "tile/0/-01",
            "/tile/0/000", "tile/0/000/", "tile//0/000", "tile/0/000.p/1/", "tiles/0/000", "tile/0/0x0",
            "tile/0/xx1/000",
            "tile/0/x009/x223/x372/x036/x854/x775/807", "tile/0/x999/x999/x999/x999/x999/x999/999", "tile/０/000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999", "tile/entries/000", "tile/0/..", "tile/0/000\n",
        ]
    )
    func noOther(path: String) {
        #expect(Tile(path: path) == nil)
        #expect(EntryTile(path: path.replacing("tile/0/", with: "tile/entries/")) == nil || path == "tile/entries/000")
    }

    @Test("of entries have their own paths")
    func entryPaths() {
        #expect(EntryTile(index: 1_234_067).path == "tile/entries/x001/x234/067")
        #expect(EntryTile(path: "tile/entries/x001/x234/067.p/3") == EntryTile(index: 1_234_067, width: 3))
        #expect(EntryTile(path: "tile/0/000") == nil)
        #expect(EntryTile(index: 2, width: 3).indices == 512..<515)
        #expect(EntryTile.all(in: 0).isEmpty)
        #expect(EntryTile.all(in: 256) == [EntryTile(index: 0)])
        #expect(EntryTile.all(in: 257) == [EntryTile(index: 0), EntryTile(index: 1, width: 1)])
    }

    @Test("of 70,000 leaves are those that tlog-tiles counts")
    func seventyThousand() {
        let tiles = Tile.all(in: 70_000)
        #expect(tiles.filter { $0.level == 0 && $0.isFull }.count == 273)
        #expect(tiles.filter { $0.level == 1 && $0.isFull }.count == 1)
        let partials = [
            Tile(level: 0, index: 273, width: 112), Tile(level: 1, index: 1, width: 17),
            Tile(level: 2, index: 0, width: 1),
        ]
        #expect(tiles.filter { !$0.isFull } == partials)
        #expect(Tile.all(in: 256) == [Tile(level: 0, index: 0), Tile(level: 1, index: 0, width: 1)])
        #expect(Tile.all(in: 0).isEmpty)
        #expect(Tile.all(in: 257, after: 256) == [Tile(level: 0, index: 1, width: 1)])
        #expect(Tile.all(in: 257, after: 257).isEmpty)
        #expect(Tile.all(in: .max, after: .max - 1).count == 1)
    }

    @Test(
        "that were added are those that are new or wider",
        arguments: [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536]
    )
    func added(old: Int64) {
        for new in [old, old + 1, old + 255, old + 256, old + 300] {
            let known = Set(Tile.all(in: old))
            #expect(Tile.all(in: new, after: old) == Tile.all(in: new).filter { !known.contains($0) })
        }
    }

    @Test("are asked for only where a tree has them")
    func places() {
        #expect(Tile(level: 0, index: 1, in: 256) == nil)
        #expect(Tile(level: 0, index: 1, in: 257) == Tile(level: 0, index: 1, width: 1))
        #expect(Tile(level: 1, index: 0, in: 255) == nil)
        #expect(Tile(level: 1, index: 0, in: 65_536) == Tile(level: 1, index: 0))
        #expect(Tile(level: 63, index: 0, in: .max) == nil)
        #expect(Tile(level: 0, index: -1, in: 5) == nil)
        #expect(Tile(level: 0, index: .max, in: .max) == nil)
    }

    @Test(
        "that are no sequences of hashes, or too few, are refused",
        arguments: [
            (65, TileError.damaged(Tile(level: 0, index: 0, width: 2))),
            (257 * 32, TileError.damaged(Tile(level: 0, index: 0, width: 2))),
            (32, TileError.missing(Tile(level: 0, index: 0, width: 2))),
        ]
    )
    func damaged(count: Int, error: TileError) async throws {
        let tile = Tile(level: 0, index: 0, width: 2)
        let tiles = MemoryTiles(tile, bytes: [UInt8](repeating: 0, count: count))
        await #expect(throws: error) { try await tiles.hashes(of: tile) }
        let wider = MemoryTiles(tile, bytes: [UInt8](repeating: 0, count: 96))
        #expect(try await wider.hashes(of: tile).count == 2)
    }

    @Test("of entries are read as they were written, and never beyond their end")
    func bundles() {
        let entries: [[UInt8]] = [[], [1], [UInt8](repeating: 7, count: EntryBundle.longest), [2, 3]]
        let bytes = EntryBundle.bytes(entries)
        #expect(EntryBundle.entries(bytes) == entries)
        #expect(Array(EntryBundle.bytes([[1, 2, 3]])) == [0, 3, 1, 2, 3])
        #expect(EntryBundle.entries([]) == [])
        let short = EntryBundle.bytes([[1], [2, 3]])
        let whole = [0, 3, short.count]
        for count in 0...short.count {
            #expect((EntryBundle.entries(Array(short.prefix(count))) != nil) == whole.contains(count), "\(count)")
        }
    }
}
