internal import Kernel

/// Where a reader goes on: a position, and how to recognise the history that led there.
///
/// Its text is `<position>.<the first 16 bytes of the leaf hash in hex>`, or the position alone, which recognises
/// nothing. A reader that comes back with one learns at once when the log was restored to another history meanwhile.
package struct ResumeToken: Hashable, Sendable, CustomStringConvertible {
    /// How many bytes of the leaf hash it holds: enough that no two histories share them by chance.
    private static let leafCount = 16
    /// No log gets there, and whoever adds to a position does not overflow.
    private static let last: Int64 = 1 << 62

    /// The last position the reader has; 0 for none.
    package let position: Int64
    /// The first bytes of the leaf hash there; `nil` when the reader does not say.
    package let leaf: [UInt8]?

    /// The token of an event.
    ///
    /// - Parameters:
    ///   - position: Where it is; 0 for the beginning.
    ///   - leaf: Its whole leaf hash; `nil` when it is not known.
    package init(position: Int64, leaf: [UInt8]?) {
        self.position = position
        self.leaf = leaf.map { Array($0.prefix(Self.leafCount)) }
    }

    /// Reads a token or a position alone; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let digits = parts.first, !digits.isEmpty, digits.utf8.allSatisfy({ 48...57 ~= $0 }),
            let position = Int64(digits), position <= Self.last
        else { return nil }
        switch parts.count {
        case 1: self.init(position: position, leaf: nil)
        case 2:
            guard let leaf = Hex.bytes(parts[1]), leaf.count == Self.leafCount else { return nil }
            self.init(position: position, leaf: leaf)
        default: return nil
        }
    }

    package var description: String {
        guard let leaf else { return "\(position)" }
        return "\(position).\(Hex.text(leaf))"
    }

    /// Whether it can be of a history that has this leaf at the position.
    ///
    /// - Parameter actual: The whole leaf hash; `nil` when there is no event at the position.
    /// - Returns: Always `true` for a position alone.
    package func matches(_ actual: [UInt8]?) -> Bool {
        guard let leaf else { return true }
        return actual?.starts(with: leaf) == true
    }
}

/// The leaf hashes of a log.
package protocol LeafDirectory: Sendable {
    /// The leaf hash of the event at a position, 32 bytes; `nil` when there is none.
    func leaf(at position: Int64) async throws(LogError) -> [UInt8]?
}
