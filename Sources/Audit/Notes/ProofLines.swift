/// The lines of a proof before its checkpoint.
struct ProofLines {
    /// RFC 6962 needs no more hashes for any tree whose size is a number of 63 bits.
    private static let mostHashes = 63

    /// What was not taken yet.
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: some Sequence<UInt8>) {
        rest = Array(bytes)[...]
    }

    /// Takes the first line away, without its end; `nil` when no line ends.
    mutating func next() -> String? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        defer { rest = rest[(end + 1)...] }
        return String(validating: rest[..<end], as: UTF8.self)
    }

    /// Takes hashes and the empty line after them away.
    mutating func hashes() throws(NoteError) -> [Hash] {
        var hashes: [Hash] = []
        while let line = next() {
            if line.isEmpty { return hashes }
            guard let hash = Hash(base64: line), hashes.count < Self.mostHashes else { break }
            hashes.append(hash)
        }
        throw .malformed("a proof has at most \(Self.mostHashes) hashes in base64 and then an empty line")
    }
}
