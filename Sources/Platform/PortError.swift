/// How a call to the outside can fail; the saga engine needs to know nothing else.
///
/// `message` is safe to store and to show: it never holds a secret, a connection string or a body.
package enum PortError: Error, Equatable, Sendable {
    /// The world is unwell and nothing happened: try again, not before `retryAfter` if it said so.
    case transient(code: String, message: String, retryAfter: Duration? = nil)
    /// Nothing is wrong with whoever was asked: something else has to happen first. Try again, not before `retryAfter`.
    case pending(code: String, message: String, retryAfter: Duration? = nil)
    /// Nobody knows whether it happened (the answer was lost): look before trying again.
    case unknown(code: String, message: String)
    /// Somebody else moved first: read again, decide again.
    case conflict(code: String, message: String)
    /// Trying again cannot help: take back what was done.
    case permanent(code: String, message: String)
    /// A person has to do something first: configuration, quota, rights.
    case blocked(code: String, message: String)
    /// Something newer than the caller is there already: end quietly.
    case superseded(message: String)

    /// What it is called in events, logs and metrics.
    package var code: String {
        switch self {
        case .transient(let code, _, _), .pending(let code, _, _), .unknown(let code, _), .conflict(let code, _),
            .permanent(let code, _), .blocked(let code, _):
            code
        case .superseded: "superseded"
        }
    }

    package var message: String {
        switch self {
        case .transient(_, let message, _), .pending(_, let message, _), .unknown(_, let message),
            .conflict(_, let message), .permanent(_, let message), .blocked(_, let message), .superseded(let message):
            message
        }
    }
}

extension PortError: CustomStringConvertible {
    package var description: String { "\(code): \(message)" }
}

/// What is out there now.
package enum Presence<Value: Sendable & Equatable>: Sendable, Equatable {
    case absent
    /// Ours, and as it should be.
    case present(Value)
    /// Something of that name that is not ours: never touch it.
    case foreign(String)
    /// Made by a later generation of the same instance.
    case newer
    /// On its way; ask again.
    case pending(String)
}

/// Who makes something outside, written on it as its ownership tag.
package struct Ownership: Sendable, Equatable, Codable {
    package var organization: String
    package var instance: String
    package var generation: Int
    package var saga: String

    package init(organization: String, instance: String, generation: Int, saga: String) {
        self.organization = organization
        self.instance = instance
        self.generation = generation
        self.saga = saga
    }
}

/// Something that must never be printed, logged, or put in an event.
package struct Secret: Sendable, Equatable {
    /// The one way to it; every use can be searched for by this name.
    package let revealed: String
    package init(_ revealed: String) { self.revealed = revealed }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "•••" }
    package var debugDescription: String { "•••" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
