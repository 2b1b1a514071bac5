package import Kernel

/// Which event starts which kind of saga: the one table that the starter, the operations read model and the response
/// to a command all read.
///
/// The id of a saga is the id of the event that caused it, so whoever appends the event knows the operation already.
package enum SagaCause {
    /// The kind of saga that an event of this type starts; `nil` for most.
    package static func kind(startedBy type: String) -> String? {
        table[type]
    }

    /// Every type that starts a saga.
    package static var types: [String] { table.keys.sorted() }

    /// The stream of a saga.
    package static func stream(kind: String, cause: UniqueID) -> String {
        "saga-\(kind).\(cause)"
    }

    private static let table = [
        InstanceEvent.Name.requested.rawValue: "provision-instance",
        InstanceEvent.Name.retryRequested.rawValue: "provision-instance",
    ]
}
