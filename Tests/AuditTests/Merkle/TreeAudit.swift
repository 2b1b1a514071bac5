import Audit

/// Goes through a log from its first leaf to its last and compares every tile of its tree with what the leaves give.
///
/// The leaves come from elsewhere: from the rows of the log, or from the entries of an exported folder.
struct TreeAudit<Tiles: TileReader>: Sendable {
    /// What the leaves so far give; its size says how many there were, its root is to be compared with checkpoints.
    private(set) var edge = TreeEdge()

    private let size: Int64
    private let tiles: Tiles

    /// Begins before the first leaf.
    ///
    /// - Parameters:
    ///   - size: How many leaves the tree has; tiles say nothing of those after it.
    ///   - tiles: What is compared.
    init(size: Int64, comparing tiles: Tiles) {
        self.size = size
        self.tiles = tiles
    }

    /// Takes the next leaf in.
    ///
    /// - Parameter leaf: Its hash, made anew from the entry.
    /// - Throws: ``TreeDifference`` when the leaf fills a tile that is stored otherwise.
    mutating func take(_ leaf: Hash) async throws(TreeDifference) {
        guard edge.size < size else { throw .size(size) }
        for full in edge.append(leaf) { try await compare(full) }
    }

    /// Compares the tiles that are not full, after the last leaf.
    ///
    /// - Parameter root: What the checkpoint says.
    /// - Throws: ``TreeDifference``.
    func finish(expecting root: Hash) async throws(TreeDifference) {
        guard edge.size == size else { throw .size(edge.size) }
        for partial in edge.partials { try await compare(partial) }
        guard edge.root == root else { throw .root(found: edge.root) }
    }

    private func compare(_ made: StoredTile) async throws(TreeDifference) {
        let stored: [Hash]
        do {
            stored = try await tiles.hashes(of: made.tile)
        } catch {
            throw .unreadable(error)
        }
        guard let place = zip(stored, made.hashes).enumerated().first(where: { $1.0 != $1.1 })?.offset else { return }
        let index = made.tile.index * Int64(Tile.fullWidth) + Int64(place)
        throw made.tile.level == 0 ? .leaf(index) : .node(made.tile, place: place)
    }
}

/// The first thing in a tree that is not as the leaves give it.
enum TreeDifference: Error, Equatable, Sendable {
    /// The tile of level 0 has another hash for this leaf, counted from 0.
    case leaf(Int64)
    /// A tile above has another hash at this place.
    case node(Tile, place: Int)
    /// The tiles agree, but the root is another than the checkpoint's.
    case root(found: Hash)
    /// There are fewer leaves, namely so many, or more than the checkpoint says.
    case size(Int64)
    /// A tile cannot be read.
    case unreadable(TileError)
}

extension TreeDifference: CustomStringConvertible {
    var description: String {
        switch self {
        case .leaf(let index): "leaf \(index) is not the one in the tree"
        case .node(let tile, let place): "hash \(place) of \(tile.path) is not that of the tile below it"
        case .root(let found): "the leaves give the root \(found.base64), which is not that of the checkpoint"
        case .size(let size): "the checkpoint does not cover exactly the leaves: there is a difference at \(size)"
        case .unreadable(let error): error.description
        }
    }
}
