/// What an audit of the log found.
package struct AuditReport: Sendable, Equatable, Encodable {
    /// How far a checkpoint can be believed.
    package enum Trust: String, Sendable, Encodable {
        /// Somebody whom the auditor had trusted before signed it.
        case authentic
        /// It is signed by a key that came with it: everything fits together, and who made it is not known.
        case consistent
        /// Nothing is signed yet.
        case unsigned
    }

    package var trust: Trust
    /// What the log is called.
    package var origin: String?
    /// The names and ids of the keys that signed.
    package var keys: [String] = []
    /// How many events the checkpoint covers.
    package var size: Int64 = 0
    /// In hexadecimal.
    package var root: String?
    /// How many of the events have lost their payload; the hash of it still proves them.
    package var erased: Int64 = 0
    /// How many events were looked at beyond those that the checkpoint covers.
    package var unsealed: Int64 = 0
    /// The first position where something is wrong.
    package var position: Int64?
    /// What is wrong; `nil` when nothing is.
    package var difference: String?

    package init(trust: Trust) {
        self.trust = trust
    }

    /// Whether everything is as it was sealed.
    package var isGood: Bool { difference == nil }

    mutating func found(_ difference: Difference) {
        position = difference.position
        self.difference = difference.description
    }

    /// Takes over what a note says, and who signed it.
    ///
    /// - Parameters:
    ///   - note: A signed checkpoint.
    ///   - pinned: Keys that the auditor trusts; `nil` for none.
    ///   - own: Keys that came with the log.
    /// - Returns: The checkpoint.
    /// - Throws: A difference when nobody signed it who counts.
    mutating func read(
        _ note: String,
        pinned: [VerifierKey]?,
        own: [VerifierKey]
    ) throws(Stop) -> Checkpoint {
        trust = pinned == nil ? .consistent : .authentic
        do throws(NoteError) {
            let signed = try SignedNote(note.utf8)
            let checkpoint = try Checkpoint(signed, trusting: pinned ?? own)
            keys = try signed.signers(among: pinned ?? own).map(\.label)
            origin = checkpoint.origin
            size = checkpoint.size
            root = checkpoint.root.description
            return checkpoint
        } catch {
            throw .found(Difference(position: nil, "the checkpoint is not accepted: \(error)"))
        }
    }
}

/// What ends an audit early.
enum Stop: Error {
    case found(Difference)
    case failed(AuditError)
}

extension Difference {
    /// A checkpoint was signed that the log does not reach.
    static func lost(_ outside: Checkpoint) -> Difference {
        Difference(
            position: nil,
            "a checkpoint of \(outside.size) events was signed, and the log does not know it: it lost its end"
        )
    }
}
