package import Kernel

/// An answer, and the position of the log that it reflects.
package struct Reading<Value: Sendable>: Sendable {
    package var value: Value
    /// `X-Log-Position`: every event up to it is in the answer.
    package var position: Int64

    package init(_ value: Value, at position: Int64) {
        self.value = value
        self.position = position
    }

    /// The same position with something made of the value.
    package func map<Other>(_ transform: (Value) -> Other) -> Reading<Other> {
        Reading<Other>(transform(value), at: position)
    }
}

extension Reading: Equatable where Value: Equatable {}

/// A part of a list, and how to ask for the next one: `{"data":[…],"next":"…"|null}`.
package struct Page<Element: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    package var data: [Element]
    @Nullable package var next: String?
    /// Whose elements are not what they should be, in a list of the past that was folded; absent when there is nobody.
    package var blocked: [BlockedOrganization]?

    package init(data: [Element], next: String?, blocked: [BlockedOrganization]? = nil) {
        self.data = data
        self.next = next
        self.blocked = blocked
    }
}

/// An organization that stays where it was because of an event that cannot be folded.
package struct BlockedOrganization: Codable, Equatable, Sendable {
    /// Absent for what belongs to none.
    @Nullable package var organizationId: OrganizationID?
    /// Of the event that is in the way.
    package var position: Int64
    /// What is wrong with it, without what it says; operators alone are told.
    package var error: String?

    package init(organizationId: OrganizationID?, position: Int64, error: String? = nil) {
        self.organizationId = organizationId
        self.position = position
        self.error = error
    }
}

/// Which part of a list is wanted.
package struct PageRequest: Sendable, Equatable {
    /// 1…200.
    package let limit: Int
    /// The `next` of an earlier page of the same list.
    package let after: String?

    /// - Parameters:
    ///   - limit: Brought into 1…200.
    ///   - after: Where to go on; `nil` for the beginning.
    package init(limit: Int = 50, after: String? = nil) {
        self.limit = min(max(limit, 1), 200)
        self.after = after
    }
}

/// Why a read model could not answer.
package enum ReadError: Error, Equatable, Sendable {
    /// The database cannot be asked now.
    case unavailable
    /// The read models have not got so far in time; this is where they are.
    case behind(position: Int64)
    /// The position that was asked about is beyond this one, with which the log ends.
    case beyond(end: Int64)
    /// What will be cannot be shown.
    case future
    /// More than so many events would have to be folded for it.
    case tooMuch(Int)
    /// Others are being shown what was, and no more than a few at a time may be.
    case busy
    /// The cursor is none, or of another list.
    case badCursor
}
