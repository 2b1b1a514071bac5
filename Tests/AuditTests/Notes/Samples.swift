import EventStore
import Kernel

extension RecordedEvent {
    /// An event with every field set.
    static func example(position: Int64) -> RecordedEvent {
        RecordedEvent(
            position: position,
            id: UniqueID(UInt128(position) << 64 | 1),
            stream: StreamName(category: "instance", id: "\(position)"),
            organization: OrganizationID(position),
            version: 3,
            type: "instance.running",
            schemaVersion: 1,
            recordedAt: Timestamp(postgres: 845_000_000_000_000 + position),
            actor: "operator-1",
            command: UniqueID(2),
            cause: UniqueID(3),
            correlation: UniqueID(4),
            metadata: "{}",
            payload: Array("{}".utf8)
        )
    }
}
