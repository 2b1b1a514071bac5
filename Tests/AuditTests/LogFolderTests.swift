import EventStore
import FoundationEssentials
import Glibc
import Kernel
import SignalboxTestKit
import Testing

@testable import Audit

@Suite("Exported log")
struct LogFolderTests {
    @Test("is audited without the database: authentic with a pinned key, consistent without")
    func audit() async throws {
        try await exported(events: 300) { sealing, path in
            let folder = LogFolder(path)
            let pinned = try await folder.audit(trusting: [sealing.key.verifier])
            #expect(pinned.isGood && pinned.trust == .authentic && pinned.size == 300)
            let own = try await folder.audit()
            #expect(own.isGood && own.trust == .consistent && own.keys == [sealing.key.verifier.label])
            let other = try SigningKey(generatedFor: "example.com/log").verifier
            #expect(try await !folder.audit(trusting: [other]).isGood)
            for name in ["checkpoint", "vkey", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000"] {
                #expect(FileManager.default.fileExists(atPath: path + "/" + name), "\(name)")
            }
        }
    }

    @Test("is found out when any byte of it was changed")
    func flipped() async throws {
        try await exported(events: 5) { sealing, path in
            let folder = LogFolder(path)
            for name in ["tile/0/000.p/5", "tile/entries/000.p/5", "checkpoint"] {
                let file = path + "/" + name
                let bytes = try Array(Data(contentsOf: URL(filePath: file)))
                for place in bytes.indices {
                    var changed = bytes
                    changed[place] ^= 0x01
                    try Folder.write(changed, to: file)
                    let report = try await folder.audit(trusting: [sealing.key.verifier])
                    #expect(!report.isGood, "byte \(place) of \(name)")
                }
                try Folder.write(bytes.dropLast(), to: file)
                #expect(try await !folder.audit(trusting: [sealing.key.verifier]).isGood, "\(name) cut short")
                unlink(file)
                if name != "checkpoint" {
                    #expect(try await !folder.audit(trusting: [sealing.key.verifier]).isGood, "\(name) is gone")
                }
                try Folder.write(bytes, to: file)
            }
            #expect(try await folder.audit(trusting: [sealing.key.verifier]).isGood)
        }
    }

    @Test("grows with the log, and is not replaced by a shorter one")
    func again() async throws {
        try await exported(events: 5) { sealing, path in
            try await sealing.write(2)
            let lease = try await sealing.running.queue.list(kinds: [SealerRunner.kind], statuses: ["running"])
            try await sealing.sealer().turn(try #require(lease.first))
            let folder = LogFolder(path)
            #expect(try await folder.write(sealing.transparency)?.size == 7)
            #expect(try await folder.audit(trusting: [sealing.key.verifier]).size == 7)
            let longer = try Checkpoint(origin: "example.com/log", size: 99, root: .empty).signed(by: [sealing.key])
            try Folder.write(longer.encoded.utf8, to: path + "/checkpoint")
            await #expect(throws: LogFolder.Failure.self) { try await folder.write(sealing.transparency) }
            let other = try Checkpoint(origin: "example.org/log", size: 1, root: .empty).signed(by: [sealing.key])
            try Folder.write(other.encoded.utf8, to: path + "/checkpoint")
            await #expect(throws: LogFolder.Failure.self) { try await folder.write(sealing.transparency) }
        }
    }

    @Test("is not believed when an entry stands where another belongs, whoever signed it")
    func misplaced() async throws {
        let key = try SigningKey(generatedFor: "example.com/log")
        for positions in [[1, 2], [2, 1], [1, 3]] as [[Int64]] {
            try await Folder.with { path in
                let entries = positions.map { position in
                    Leaf(.example(position: position), payloadHash: [UInt8](repeating: 9, count: 32)).entry
                }
                var edge = TreeEdge()
                _ = edge.append(contentsOf: entries.map { Hash.leaf($0) })
                for folder in ["/tile/0", "/tile/entries"] {
                    let name = path + folder + "/000.p"
                    try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: true)
                    let bytes = folder == "/tile/0" ? edge.partials.flatMap(\.bytes) : EntryBundle.bytes(entries)
                    try Folder.write(bytes, to: name + "/2")
                }
                let note = try Checkpoint(origin: "example.com/log", size: 2, root: edge.root).signed(by: [key])
                try Folder.write(note.encoded.utf8, to: path + "/checkpoint")
                let report = try await LogFolder(path).audit(trusting: [key.verifier])
                #expect(report.isGood == (positions == [1, 2]), "\(positions)")
            }
        }
    }

    @Test("is nothing while nothing is signed")
    func early() async throws {
        try await Sealing.with { sealing in
            try await Folder.with { path in
                let made = try await LogFolder(path).write(sealing.transparency)
                #expect(made == nil)
                await #expect(throws: AuditError.self) { try await LogFolder(path).audit() }
            }
        }
    }

    private func exported(events: Int, _ body: (Sealing, String) async throws -> Void) async throws {
        try await Sealing.with { sealing in
            try await sealing.write(events)
            try await sealing.sealer().turn(try await sealing.lease())
            try await Folder.with { path in
                #expect(try await LogFolder(path).write(sealing.transparency)?.size == Int64(events))
                try await body(sealing, path)
            }
        }
    }
}

@Suite("Key file")
struct KeyFileTests {
    private let origin = Origin(domain: "example.com")

    @Test("is made for us alone, and has a key that verifies what it signs")
    func made() async throws {
        try await Folder.with { folder in
            let path = folder + "/key"
            let verifier = try KeyFile.make(path, for: "example.com/log")
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(try KeyFile(path, origin: origin).keys.map(\.verifier) == [verifier])
            #expect(throws: KeyFile.Failure.self) { try KeyFile.make(path, for: "example.com/log") }
        }
    }

    @Test("is refused when others may read it, when it is of another log, and when it is none; never shows a key")
    func refused() async throws {
        try await Folder.with { folder in
            let path = folder + "/key"
            _ = try KeyFile.make(path, for: "example.org/log")
            #expect(throws: KeyFile.Failure.self) { try KeyFile(path, origin: origin) }
            chmod(path, 0o640)
            let error = #expect(throws: KeyFile.Failure.self) { try KeyFile(path) }
            #expect(error?.description == "\(path) may be read by others: chmod 600 \(path)")
            chmod(path, 0o600)
            let text = try #require(Folder.text(path))
            try Folder.write(text.dropLast(3).utf8, to: path)
            let damaged = #expect(throws: KeyFile.Failure.self) { try KeyFile(path) }
            #expect(damaged?.description.contains(text.dropLast(3).suffix(40)) == false)
            for content in ["", "nonsense\n"] {
                try Folder.write(content.utf8, to: path)
                #expect(throws: KeyFile.Failure.self) { try KeyFile(path) }
            }
            #expect(throws: KeyFile.Failure.self) { try KeyFile(folder + "/none") }
        }
    }

    @Test("is a credential only where the service's manager keeps those, and then its group may read it")
    func credential() async throws {
        try await Folder.with { folder in
            let path = folder + "/key"
            _ = try KeyFile.make(path, for: "example.com/log")
            chmod(path, 0o440)
            #expect(try KeyFile(path, credentials: folder).keys.count == 1)
            #expect(throws: KeyFile.Failure.self) { try KeyFile(path, credentials: folder + "/other") }
            #expect(throws: KeyFile.Failure.self) { try KeyFile(path) }
            for mode in [0o460, 0o444, 0o441] as [mode_t] {
                chmod(path, mode)
                #expect(throws: KeyFile.Failure.self) { try KeyFile(path, credentials: folder) }
            }
        }
    }

    @Test("an origin is read back as its epoch, and no other name is")
    func origins() {
        #expect(origin.name(epoch: 1) == "example.com/log")
        #expect(origin.name(epoch: 12) == "example.com/log/epoch-12")
        for epoch in [1, 2, 12] { #expect(origin.epoch(of: origin.name(epoch: epoch)) == epoch) }
        for name in ["example.com/log/epoch-1", "example.com/log/epoch-02", "example.com/log/epoch-", "x/log"] {
            #expect(origin.epoch(of: name) == nil)
        }
    }
}
