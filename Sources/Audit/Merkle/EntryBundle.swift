/// What is in an entry bundle: entries one after the other, each after two bytes of length (C2SP tlog-tiles).
package enum EntryBundle {
    /// The longest entry that fits.
    package static let longest = Int(UInt16.max)

    /// The bytes of a bundle of at most 256 entries, none of them longer than ``longest``.
    package static func bytes(_ entries: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.reduce(0) { $0 + $1.count + 2 })
        for entry in entries {
            precondition(entry.count <= longest)
            bytes.append(UInt8(entry.count >> 8))
            bytes.append(UInt8(entry.count & 0xFF))
            bytes.append(contentsOf: entry)
        }
        return bytes
    }

    /// The entries of a bundle; `nil` when the bytes end in the middle of one.
    package static func entries(_ bytes: [UInt8]) -> [[UInt8]]? {
        var entries: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= 2 else { return nil }
            let length = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
            guard rest.count >= length else { return nil }
            entries.append(Array(rest.prefix(length)))
            rest.removeFirst(length)
        }
        return entries
    }
}
