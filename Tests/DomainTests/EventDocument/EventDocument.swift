import Domain
import SignalboxTestKit

/// `docs/events.md`: every event of every family, as the code has it.
enum EventDocument {
    static func text() throws -> String {
        var lines = introduction
        var objects: [String: [Shape.Field]] = [:]
        for family in EventFamilies.all {
            lines += try section(family)
            for object in try family.catalogue.flatMap(\.shape.objects) { objects[object.name] = object.fields }
        }
        lines += ["", "## Values", "What is copied into events whole, so that history keeps its meaning."]
        let facts = try Set(EventFamilies.all.flatMap { try $0.catalogue.map(\.shape.title) })
        for (name, fields) in objects.sorted(by: { $0.key < $1.key })
        where !facts.contains(Shape.object(name: name, fields).title) {
            lines += ["", "### \(name)"] + table(fields)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let introduction = [
        "# Events",
        "",
        "<!-- Written by the tests from the code: UPDATE_DOCS=1 swift test --filter EventDocumentTests -->",
        "",
        "Everything that can happen. An event is stored once and read for ever: its name is never changed, and when the",
        "shape of its data changes it gets a new schema version, to which older ones are brought when they are read",
        "([how](how-to/add-an-event.md)). Each name links to what the log stores of it.",
        "",
        "Beside its data every event has: `position` in the log, `id`, `stream` and `version` in it, `type`,",
        "`schemaVersion`, `recordedAt`, `organization`, `actor` (an opaque principal), `command`, `cause`, `correlation` and",
        "`metadata`. Words are those of the [glossary](glossary.md).",
        "",
        "An id is a decimal number in a string, a UUID and a time (RFC 3339, UTC) are strings too. A **sealed** string can be",
        "read only while the key of the person it is about exists; when that is destroyed it reads as erased for everybody.",
    ]

    private static func section(_ family: any EventFamily.Type) throws -> [String] {
        var lines = ["", "## \(family.category)", "Streams: \(family.streams)."]
        for entry in try family.catalogue {
            let file = GoldenPayload(type: entry.type, schemaVersion: entry.version).file
            lines += ["", "### [\(entry.type)](../Tests/Fixtures/events/\(file))"]
            if entry.version > 1 { lines += ["Schema version \(entry.version); every older one is still read."] }
            let sagas = SagaCause.kinds(startedBy: entry.type).map { "`\($0)`" }
            if !sagas.isEmpty { lines += ["Starts the saga \(sagas.joined(separator: " or "))."] }
            guard case .object(_, let fields) = entry.shape, !fields.isEmpty else {
                lines += ["Says nothing but its name."]
                continue
            }
            lines += table(fields)
        }
        return lines
    }

    private static func table(_ fields: [Shape.Field]) -> [String] {
        ["", "| Field | JSON | Presence |", "|---|---|---|"]
            + fields.map { "| `\($0.name)` | \($0.shape.title) | \($0.isOptional ? "optional" : "always") |" }
    }
}

extension EventFamily {
    /// What is known of each of its events.
    fileprivate static var catalogue: [(type: String, version: Int16, shape: Shape)] {
        get throws {
            try Name.allCases.map { name in
                let schema = schema(of: name)
                return (name.rawValue, schema.version, try ShapeRecorder.shape(of: schema.fact))
            }
        }
    }
}
