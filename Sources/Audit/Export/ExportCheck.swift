internal import EventStore
internal import Kernel

/// Holds the export of an organization against the proofs that are in it, asking nobody.
package struct ExportCheck {
    /// Why an export is not accepted.
    package struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// What was found, when all of it holds.
    package struct Report: Sendable, Equatable, Encodable {
        /// `authentic` with keys that one had before, else `consistent`.
        package var trust: String
        package var organizationId: String
        /// The last position that the export knows of.
        package var position: Int64
        package var events: Int
        /// Those that were not sealed yet when it was made.
        package var unproven: Int
        /// Those whose payload was erased; their hashes are proven all the same.
        package var erased: Int
        /// The size of the newest tree that a proof is of.
        package var size: Int64
        package var keys: [String]
    }

    private var keys: [VerifierKey]
    private let isPinned: Bool
    /// The events of the last page whose proofs are still to come.
    private var waiting: [Int64: JSONValue] = [:]
    private var last: Int64 = 0
    private var organization: String?
    private var (events, unproven, erased) = (0, 0, 0)
    private var size: Int64 = 0
    private var manifest: JSONValue?

    /// - Parameter pinned: Keys that one trusts; `nil` takes those that are in the export.
    package init(trusting pinned: [VerifierKey]? = nil) {
        keys = pinned ?? []
        isPinned = pinned != nil
    }

    /// Takes in the next file of the export.
    ///
    /// - Parameters:
    ///   - name: Its path.
    ///   - bytes: What is in it.
    /// - Throws: ``Failure`` at the first thing that does not hold.
    package mutating func take(_ name: String, _ bytes: [UInt8]) throws(Failure) {
        guard manifest == nil else { throw Failure("\(name) comes after the manifest") }
        if name == "vkey", !isPinned {
            keys = VerifierKey.lines(String(decoding: bytes, as: UTF8.self))
        } else if name == "manifest.json" {
            manifest = try parse(bytes, name)
        } else if name.hasPrefix("events/") {
            unproven += waiting.count
            waiting = [:]
            for line in bytes.split(separator: UInt8(ascii: "\n")) { try take(event: try parse(Array(line), name)) }
        } else if name.hasPrefix("proofs/") {
            try take(proof: bytes, name)
        }
    }

    /// What was found, after the last file.
    ///
    /// - Throws: ``Failure``.
    package consuming func finish() throws(Failure) -> Report {
        guard let manifest else { throw Failure("it has no manifest: it is not whole") }
        unproven += waiting.count
        guard manifest["events"]?.integer == Int64(events), manifest["unproven"]?.integer == Int64(unproven),
            let position = manifest["position"]?.integer, last <= position,
            let id = manifest["organizationId"]?.string, organization ?? id == id
        else { throw Failure("the manifest does not say what is in it") }
        return Report(
            trust: isPinned ? "authentic" : "consistent",
            organizationId: id,
            position: position,
            events: events,
            unproven: unproven,
            erased: erased,
            size: size,
            keys: keys.map(\.description)
        )
    }
}

extension ExportCheck {
    private mutating func take(event: JSONValue) throws(Failure) {
        guard let position = event["position"]?.integer, position > last,
            let owner = event["organizationId"]?.string, organization ?? owner == owner
        else { throw Failure("the events are not those of one organization, in order") }
        (last, organization) = (position, owner)
        waiting[position] = event
        events += 1
        guard event["stored"] == .null else { return }
        guard event["data"] == ["erased": true] else { throw Failure("the event at \(position) has no payload") }
        erased += 1
    }

    private mutating func take(proof bytes: [UInt8], _ name: String) throws(Failure) {
        let entry: LeafEntry
        do throws(NoteError) {
            let proof = try LogProof(bytes)
            guard let extra = proof.extra, let found = LeafEntry(extra), found.position == proof.index + 1 else {
                throw .malformed("it does not carry the entry of the event that it proves")
            }
            entry = found
            size = max(size, try proof.check(.leaf(extra), trusting: keys).size)
        } catch {
            throw Failure("\(name) does not hold: \(error)")
        }
        guard let event = waiting.removeValue(forKey: entry.position) else {
            throw Failure("\(name) is of no event that is there")
        }
        let proven: [String: JSONValue] = [
            "id": .string("\(entry.event)"), "stream": .string(entry.stream), "version": .integer(entry.version),
            "type": .string(entry.type), "schemaVersion": .integer(Int64(entry.schemaVersion)),
            "recordedAt": .string("\(entry.recordedAt)"), "actor": .string(entry.actor),
            "commandId": .string("\(entry.command)"),
            "organizationId": entry.organization.map { .string("\($0)") } ?? .null,
        ]
        guard proven.allSatisfy({ name, value in event[name] == value }) else {
            throw Failure("the event at \(entry.position) is not the one that is proven")
        }
        try checkPayload(event, entry)
    }

    /// What is shown is what was written, but for what is sealed or gone.
    private func checkPayload(_ event: JSONValue, _ entry: LeafEntry) throws(Failure) {
        let place = "the event at \(entry.position)"
        guard let stored = event["stored"], stored != .null else { return }
        guard let salt = stored["salt"]?.string.flatMap({ Hex.bytes($0) }), let text = stored["payload"]?.string,
            Leaf.payloadHash(salt: salt, payload: Array(text.utf8)) == entry.payloadHash
        else { throw Failure("\(place) does not have the payload that is proven") }
        guard let data = event["data"], Self.shows(data, try parse(Array(text.utf8), place)) else {
            throw Failure("\(place) shows other data than was written")
        }
    }

    private static func shows(_ shown: JSONValue, _ written: JSONValue) -> Bool {
        if shown == written { return true }
        if isSealed(written) { return shown == ["sealed": true] || shown == ["erased": true] }
        if let shown = shown.object, let written = written.object {
            return shown.count == written.count
                && shown.allSatisfy { name, value in written[name].map { shows(value, $0) } ?? false }
        }
        if let shown = shown.array, let written = written.array {
            return shown.count == written.count && zip(shown, written).allSatisfy { shows($0, $1) }
        }
        return false
    }

    /// Whether it is what only the holder of a key can open.
    private static func isSealed(_ value: JSONValue) -> Bool {
        guard let members = value.object, members.count == 2 else { return false }
        return members["box"]?.string != nil && members["subject"]?.string != nil
    }

    private func parse(_ bytes: [UInt8], _ name: String) throws(Failure) -> JSONValue {
        guard let value = try? JSON.decode(JSONValue.self, from: bytes) else { throw Failure("\(name) is not JSON") }
        return value
    }
}
