import FoundationEssentials
import Kernel
import SignalboxTestKit
import Testing

@testable import EventStore

@Suite("Segment files")
struct SegmentFileTests {
    /// Events from a position on, spread over streams; every fifth is erased.
    private func events(_ count: Int, from first: Int64, streams: Int) -> [StoredEvent] {
        var versions: [String: Int64] = [:]
        return (0..<count).map { number in
            let name = "b-\(number * 7 % streams)"
            let version = versions[name, default: first] + 1
            versions[name] = version
            let isOdd = !number.isMultiple(of: 2)
            var event = RecordedEvent(
                position: first + Int64(number),
                id: UniqueID(UInt128(number + 1)),
                stream: stream(name),
                organization: isOdd ? OrganizationID(77) : nil,
                version: version,
                type: "thing.happened-\(number % 3)",
                schemaVersion: Int16(1 + number % 2),
                recordedAt: Timestamp(microseconds: 1_700_000_000_000_000 + Int64(number)),
                actor: "user-\(number)",
                command: UniqueID(UInt128(number) << 64),
                cause: isOdd ? UniqueID(9) : nil,
                correlation: UniqueID(8),
                metadata: isOdd ? "{}" : #"{"ö":1}"#,
                payload: nil
            )
            let salt = [UInt8](repeating: UInt8(number % 256), count: 16)
            let payload = Array("{\"n\":\(number)}".utf8)
            let hash = Leaf.payloadHash(salt: salt, payload: payload)
            let isErased = number % 5 == 4
            if !isErased { event.payload = payload }
            let leaf = Leaf(event, payloadHash: hash).hash
            return StoredEvent(event: event, salt: isErased ? nil : salt, payloadHash: hash, leaf: leaf)
        }
    }

    private func write(_ events: [StoredEvent], to name: String, in folder: String) throws {
        let first = try #require(events.first?.event.position)
        let writer = try SegmentWriter(
            path: folder + "/" + name,
            first: first,
            last: first + Int64(events.count) - 1
        )
        for event in events { try writer.add(event) }
        try writer.endEvents()
        let streams = Dictionary(grouping: events) { $0.event.stream }
        for (stream, events) in streams.sorted(by: { $0.key < $1.key }) {
            try writer.add(stream, version: events[0].event.version, positions: events.map(\.event.position))
        }
        _ = try writer.finish()
    }

    @Test(
        "give back what was written, at every boundary of their tables",
        arguments: [(1, 1), (255, 2), (256, 63), (257, 64), (513, 65), (1000, 130)]
    )
    func whole(count: Int, streams: Int) async throws {
        try await withFolder { folder in
            let events = events(count, from: 1001, streams: streams)
            try write(events, to: "x", in: folder)
            let file = try SegmentFile("x", in: folder)
            var read: [StoredEvent] = []
            try file.verify { event in read.append(event) }
            #expect(read == events)
            for start in stride(from: 0, to: count, by: 97) {
                read = []
                try file.events(in: events[start].event.position...events[min(count - 1, start + 300)].event.position) {
                    event in read.append(event)
                }
                #expect(read == Array(events[start...min(count - 1, start + 300)]))
            }
            for number in 0..<streams {
                let wanted = events.filter { $0.event.stream.text == "b-\(number)" }
                #expect(try file.events(of: stream("b-\(number)"), after: 0, limit: 9999) == wanted)
                let third = Array(wanted.dropFirst(2).prefix(1))
                #expect(try file.events(of: stream("b-\(number)"), after: 1003, limit: 1) == third)
                #expect(try file.events(of: stream("b-\(number)"), after: 99_999, limit: 1).isEmpty)
            }
            for name in ["a-1", "b-99999", "c-1"] {
                #expect(try file.events(of: stream(name), after: 0, limit: 1).isEmpty)
            }
        }
    }

    @Test("are refused with any byte changed or cut off, and never give a reader another event for it")
    func flipped() async throws {
        try await withFolder { folder in
            let events = events(12, from: 1, streams: 3)
            try write(events, to: "x", in: folder)
            let bytes = Array(try Data(contentsOf: URL(filePath: folder + "/x")))
            var damaged: [[UInt8]] = bytes.indices.map { index in
                var copy = bytes
                copy[index] ^= index.isMultiple(of: 2) ? 0x01 : 0x80
                return copy
            }
            damaged += (0..<bytes.count).map { Array(bytes.prefix($0)) }
            for (number, copy) in damaged.enumerated() {
                try Data(copy).write(to: URL(filePath: folder + "/y"))
                #expect(throws: SegmentError.self, "\(number)") { try SegmentFile("y", in: folder).verify() }
                // A reader that did not look at all of it gets what is right, or an error.
                guard let file = try? SegmentFile("y", in: folder), file.first == 1, file.last == 12 else { continue }
                var read: [StoredEvent] = []
                try? file.events(in: 1...12) { event in read.append(event) }
                #expect(read == Array(events.prefix(read.count)), "\(number)")
                let wanted = events.filter { $0.event.stream.text == "b-1" }
                if let found = try? file.events(of: stream("b-1"), after: 0, limit: 99) {
                    #expect(found.allSatisfy { wanted.contains($0) }, "\(number)")
                }
            }
        }
    }

    @Test("hold every position, and are readable for their owner alone")
    func gaps() async throws {
        try await withFolder { folder in
            let events = events(3, from: 1, streams: 1)
            let writer = try SegmentWriter(path: folder + "/x", first: 1, last: 3)
            try writer.add(events[0])
            #expect(throws: SegmentError.self) { try writer.add(events[2]) }
            #expect(throws: SegmentError.self) { try writer.endEvents() }
            let mode = try FileManager.default.attributesOfItem(atPath: folder + "/x")[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }
}
