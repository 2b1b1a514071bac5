package import Kernel

/// What was made unreadable, by whom and why; a stream for each event and each subject that was erased.
package enum ErasureEvent: EventFamily {
    case subjectErased(SubjectErased)
    case payloadErased(PayloadErased)

    /// What the log calls each case.
    ///
    /// Add to this list; never rename or reuse an entry.
    package enum Name: String, CaseIterable, Sendable {
        case subjectErased = "erasure.subject-erased"
        case payloadErased = "erasure.payload-erased"
    }
}

extension ErasureEvent {
    package struct SubjectErased: Fact {
        /// Whose key was destroyed, such as `user-42`.
        package var subject: String
        package var reason: String
        package init(subject: String, reason: String) {
            self.subject = subject
            self.reason = reason
        }
    }

    package struct PayloadErased: Fact {
        /// Where the event is whose payload and salt are gone.
        package var position: Int64
        package var event: UniqueID
        package var stream: String
        package var version: Int64
        package var type: String
        package var reason: String
        package init(
            position: Int64,
            event: UniqueID,
            stream: String,
            version: Int64,
            type: String,
            reason: String
        ) {
            self.position = position
            self.event = event
            self.stream = stream
            self.version = version
            self.type = type
            self.reason = reason
        }
    }
}

extension ErasureEvent {
    package static let category = "erasure"
    package static let streams = "`erasure-{position}` and `erasure-{subject}`"

    package var name: Name {
        switch self {
        case .subjectErased: .subjectErased
        case .payloadErased: .payloadErased
        }
    }

    package var fact: any Fact {
        switch self {
        case .subjectErased(let fact): fact
        case .payloadErased(let fact): fact
        }
    }

    package static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .subjectErased: .only(Self.subjectErased)
        case .payloadErased: .only(Self.payloadErased)
        }
    }
}
