package import Domain
package import EventStore
internal import FoundationEssentials
package import Kernel

/// Seals the personal fields of events, each subject's under a key of its own, which is itself wrapped by a master key.
///
/// Erasing a subject destroys its key; the events stay, and nobody can read the fields any more.
package struct Vault: Sendable {
    /// Why something could not be sealed or opened.
    package enum Problem: Error, Equatable, Sendable {
        case keys(MasterKeys.Problem)
        /// The subject was erased: nothing of it can be sealed again.
        case erased
        case unavailable
    }

    /// Also seals what is no event's field, under the master key itself.
    package let keys: MasterKeys
    private let subjects: any SubjectKeys
    private let ids: IDSource

    package init(keys: MasterKeys, subjects: any SubjectKeys, ids: IDSource = .system) {
        self.keys = keys
        self.subjects = subjects
        self.ids = ids
    }

    /// Seals a text for a subject such as `user-42`, whose key is made at the first use.
    package func seal(_ text: String, for subject: String) async throws(Problem) -> Sealed {
        let key = try await keyForSealing(subject)
        do {
            let box = try Box.seal(Array(text.utf8), key: key, context: subject)
            return Sealed(subject: subject, box: Data(box).base64EncodedString())
        } catch {
            throw .keys(error)
        }
    }

    /// Opens what was sealed; `nil` once the subject was erased.
    package func open(_ sealed: Sealed) async throws(Problem) -> String? {
        guard case .wrapped(let wrapped) = try await known(sealed.subject) else { return nil }
        guard let box = Data(base64Encoded: sealed.box) else { throw .keys(.notSealed) }
        do {
            let key = try keys.open(wrapped, as: Self.context(sealed.subject))
            return String(decoding: try Box.open(Array(box), key: key, context: sealed.subject), as: UTF8.self)
        } catch {
            throw .keys(error)
        }
    }

    /// Makes everything that was ever sealed for the subject unreadable, for ever.
    package func erase(_ subject: String) async throws(Problem) {
        do {
            try await subjects.destroy(of: subject)
        } catch {
            throw .unavailable
        }
    }

    private func keyForSealing(_ subject: String) async throws(Problem) -> [UInt8] {
        var state = try await known(subject)
        if state == .none {
            let fresh = (0..<4).flatMap { _ in ids.random().bigEndianBytes }
            let wrapped: [UInt8]
            do { wrapped = try keys.seal(fresh, as: Self.context(subject)) } catch { throw .keys(error) }
            do { state = try await subjects.keep(wrapped, for: subject) } catch { throw .unavailable }
        }
        guard case .wrapped(let wrapped) = state else { throw .erased }
        do { return try keys.open(wrapped, as: Self.context(subject)) } catch { throw .keys(error) }
    }

    private func known(_ subject: String) async throws(Problem) -> SubjectKey {
        do { return try await subjects.wrappedKey(of: subject) } catch { throw .unavailable }
    }

    private static func context(_ subject: String) -> String { "subject-key \(subject)" }
}

extension UInt64 {
    /// The 8 bytes, most significant first.
    var bigEndianBytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * UInt64($0))) }
    }
}
