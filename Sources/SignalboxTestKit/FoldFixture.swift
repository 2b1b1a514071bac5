package import Domain
package import EventStore
internal import FoundationEssentials
package import Kernel

/// What a state makes of each golden payload of its family, as a file of `Tests/Fixtures/states`.
///
/// While the version of a state stays, so does what it makes of every event; else snapshots of it would be wrong.
package struct FoldFixture: Sendable {
    private let name: String
    private let version: Int16
    private let states: [String: JSONValue]

    /// Folds each event of a family at its present version: alone, and after the family's first.
    ///
    /// - Parameters:
    ///   - name: What the file is called.
    ///   - family: Whose golden payloads are folded.
    ///   - initial: The state before the first event.
    ///   - evolve: How an event changes it.
    /// - Throws: What makes a golden payload unreadable.
    package init<State: Snapshotable, Family: EventFamily>(
        _ name: String,
        of family: Family.Type,
        from initial: State,
        _ evolve: (inout State, Family) -> Void
    ) throws {
        let events = try Family.Name.allCases.map { name in
            let golden = GoldenPayload(type: name.rawValue, schemaVersion: Family.schema(of: name).version)
            let event = try Family.decode(
                type: golden.type,
                schemaVersion: golden.schemaVersion,
                payload: golden.bytes()
            )
            return (golden.type, event)
        }
        var states: [String: JSONValue] = [:]
        for case (let type, let event?) in events {
            var (alone, after) = (initial, initial)
            evolve(&alone, event)
            if case (_, let first?)? = events.first { evolve(&after, first) }
            evolve(&after, event)
            states[type] = .array(try [alone, after].map { try JSON.decode(JSONValue.self, from: JSON.encode($0)) })
        }
        (self.name, self.version, self.states) = (name, State.stateVersion, states)
    }

    /// What is not as the file has it; with `UPDATE_STATES=1` what is new is entered first, and nothing is changed.
    ///
    /// - Returns: What to tell whoever changed it.
    /// - Throws: What keeps the files from being read or written.
    package func complaints() throws -> [String] {
        let file = Self.folder + "/\(name).v\(version).json"
        var known: [String: JSONValue] = [:]
        if let data = FileManager.default.contents(atPath: file) {
            known = try JSON.decode([String: JSONValue].self, from: data)
        }
        if ProcessInfo.processInfo.environment["UPDATE_STATES"] == "1" {
            known.merge(states) { old, _ in old }
            try (JSON.pretty(known) + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        }
        return complaints(comparedWith: known)
    }

    /// What is not as it was known.
    package func complaints(comparedWith known: [String: JSONValue]) -> [String] {
        Set(states.keys).union(known.keys).sorted().compactMap { type in
            switch (states[type], known[type]) {
            case (let now?, let then?) where now == then: nil
            case (_, nil): "\(name): \(type) is new: UPDATE_STATES=1 enters it"
            case (nil, _): "\(name): \(type) is gone"
            case (_, _):
                "\(name): the state after \(type) is not what version \(version) makes of it: raise stateVersion, "
                    + "rename the file and enter it anew with UPDATE_STATES=1"
            }
        }
    }

    private static let folder =
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/Tests/Fixtures/states"
}
