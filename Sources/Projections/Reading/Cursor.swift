internal import Kernel

/// Where a page ended, bound to the list it is of.
struct Cursor: Equatable {
    let list: String
    let last: Int64

    /// Opaque to who gets it.
    var text: String { Hex.text("\(last) \(list)".utf8) }

    init(list: String, last: Int64) {
        self.list = list
        self.last = last
    }

    /// Reads a cursor back; `nil` for no cursor.
    ///
    /// - Throws: ``ReadError/badCursor`` unless it is one of this list.
    init?(_ text: String?, of list: String) throws(ReadError) {
        guard let text else { return nil }
        guard text.utf8.count <= 2000, let bytes = Hex.bytes(text) else { throw .badCursor }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[1] == list, let last = Int64(parts[0]) else { throw .badCursor }
        self.init(list: list, last: last)
    }
}
