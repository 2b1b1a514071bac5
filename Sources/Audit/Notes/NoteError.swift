/// Why a note, a checkpoint, a proof or a key is not accepted; every text may be shown to anyone.
package enum NoteError: Error, Equatable, Sendable {
    /// It is not written as it must be.
    case malformed(String)
    /// A key that is trusted, by its label, did not make the signature under its name.
    case badSignature(by: String)
    /// No key that is trusted signed it; the labels are those of the signatures it has.
    case untrusted(signers: [String])
    /// It is signed, but speaks of another log.
    case wrongOrigin(String)
    /// The leaf is not in the tree of the checkpoint at the place that the proof says.
    case notIncluded(index: Int64, size: Int64)
    /// A checkpoint that was kept is not the beginning of the one that is checked: the log was rewritten.
    case inconsistent(old: Int64, new: Int64)
    /// The key could not sign.
    case notSigned
}

extension NoteError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let reason): reason
        case .badSignature(let key): "the signature by \(key) is wrong"
        case .untrusted(let signers): "no trusted key signed it, only \(signers.joined(separator: ", "))"
        case .wrongOrigin(let origin): "it is a checkpoint of another log, \(origin)"
        case .notIncluded(let index, let size):
            "the leaf is not number \(index) of the \(size) that the checkpoint covers"
        case .inconsistent(let old, let new):
            "the tree of \(new) leaves does not begin with the tree of \(old) leaves that was signed before"
        case .notSigned: "the key cannot sign"
        }
    }
}
