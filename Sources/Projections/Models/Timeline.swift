internal import Domain
internal import EventStore
package import Kernel

/// What happened to each instance, one row for each event: a list, so nothing is folded into anything.
package enum Timeline: Projection {
    package typealias Row = TimelineEntry

    package static let name = "instance_timeline"
    package static let shape = 1
    package static let reads = InstanceEvent.types

    package static func key(of entry: Entry) -> String? { String(entry.position) }

    package static func fold(into row: inout TimelineEntry?, _ entry: Entry) throws {
        guard case .instance(let event) = entry.event else { return }
        guard let instance = InstanceID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
        row = TimelineEntry(
            instanceID: instance,
            position: entry.position,
            version: entry.version,
            type: event.name.rawValue,
            at: entry.at,
            actor: entry.record.actor,
            data: try JSON.decode(JSONValue.self, from: event.payload())
        )
    }
}

/// One thing that happened to an instance.
package struct TimelineEntry: Codable, Equatable, Sendable {
    package var instanceID: InstanceID
    package var position: Int64
    /// The version of the instance's stream.
    package var version: Int64
    /// for example `instance.running`.
    package var type: String
    package var at: Timestamp
    /// An opaque principal.
    package var actor: String
    package var data: JSONValue

    package init(
        instanceID: InstanceID,
        position: Int64,
        version: Int64,
        type: String,
        at: Timestamp,
        actor: String,
        data: JSONValue
    ) {
        self.instanceID = instanceID
        self.position = position
        self.version = version
        self.type = type
        self.at = at
        self.actor = actor
        self.data = data
    }

    private enum CodingKeys: String, CodingKey {
        case instanceID = "instanceId"
        case position, version, type, at, actor, data
    }
}
