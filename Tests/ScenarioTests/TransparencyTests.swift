import FoundationEssentials
import Glibc
import Kernel
import Postgres
import Subprocess
import SystemPackage
import Testing

/// The signed tree over the log of a real machine, as an auditor meets it: over HTTP, in files, and after an incident.
@Suite("Transparency", .wholeMachine, .timeLimit(.minutes(15)))
struct TransparencyTests {
    /// It is told the folder of the machine each time, and finds the database there.
    private let signalbox = CommandLine()

    @Test("an auditor checks the log with the key alone; a changed row is found, and a lost tail is never signed over")
    func audit() async throws {
        let dev = try DevProcess()
        defer { dev.remove() }
        let folder = dev.directory
        try await dev.run { running in
            let story = Story(running: running)
            let acme = try await story.provisioned("acme")
            let position = try #require(Int64(acme.position))
            let (checkpoint, key) = try await sealed(story, through: position)
            #expect(checkpoint.hasPrefix("localhost/log\n"))
            let vkey = folder + "/pinned"
            try Data(key.utf8).write(to: URL(filePath: vkey))

            let status = try await signalbox("audit", "status", "--json", "--data", folder)
            #expect(status.code == 0 && status.json["problem"] == nil && status.json["epoch"] == 1)
            let live = try await signalbox("audit", "verify", "--data", folder)
            #expect(live.code == 0 && live.output.hasPrefix("consistent: "), "\(live)")
            let pinned = try await signalbox("audit", "verify", "--vkey", vkey, "--data", folder)
            #expect(pinned.code == 0 && pinned.output.hasPrefix("authentic: "), "\(pinned)")

            try await export(folder, vkey)
            try await proofs(story, folder, vkey, position)
            let early = try await signalbox("audit", "new-epoch", "--reason", "none", "--data", folder)
            #expect(early.code == 4, "\(early)")

            // Somebody with the keys to the database loses what was sealed.
            try await story.query { connection throws(PostgresError) in
                try connection.script("DELETE FROM log.checkpoint; DELETE FROM log.tile")
            }
            let problem = try await eventually(within: .seconds(30), { "nobody noticed" }) {
                let ready = try await story.client.get("/readyz")
                guard ready.status == 503 else { return nil as String? }
                return ready.json["checks"]?.array?.first { $0["name"] == "audit" }?["problem"]?.string
            }
            #expect(problem.contains("audit new-epoch"))
            #expect(try await signalbox("audit", "verify", "--data", folder).code == 1)
            let begun = try await signalbox("audit", "new-epoch", "--reason", "a lost tail", "--data", folder)
            #expect(begun.code == 0, "\(begun)")
            _ = try await eventually(within: .seconds(30), { "the new epoch is not signed" }) {
                let text = try await story.client.get("/audit/checkpoint").text
                return text.hasPrefix("localhost/log/epoch-2\n") ? text : nil
            }
            let anew = try await signalbox("audit", "verify", "--data", folder)
            #expect(anew.code == 0, "\(anew)")
            let events = try await Client(base: running.api, key: running.operatorKey)
                .get("/v1/events?type=platform.audit-epoch-started").json["data"]?.array
            #expect(events?.first?["data"]?["reason"] == "a lost tail")
            #expect(events?.first?["data"]?["keptCheckpoint"]?.string?.hasPrefix("localhost/log\n") == true)

            try await emptied(story, folder)

            // And changes a row, with all guards of the database off.
            try await story.query { connection throws(PostgresError) in
                try connection.script(
                    "SET session_replication_role = replica; UPDATE log.event SET actor = 'mallory' WHERE position = 3"
                )
            }
            let found = try await signalbox("audit", "verify", "--data", folder)
            #expect(found.code == 1 && found.errors.contains("position 3"), "\(found)")
        }
    }

    /// Without the checkpoint that was kept nothing is signed until an operator says so.
    private func emptied(_ story: Story, _ folder: String) async throws {
        unlink(folder + "/audit/checkpoint")
        let problem = try await eventually(within: .seconds(30), { "nobody noticed" }) {
            let status = try await signalbox("audit", "status", "--json", "--data", folder)
            let ready = try await story.client.get("/readyz")
            return ready.status == 503 ? status.json["problem"]?.string : nil
        }
        #expect(problem.contains("folder of checkpoints") && problem.contains("audit new-epoch"))
        let begun = try await signalbox("audit", "new-epoch", "--reason", "a lost folder", "--data", folder)
        #expect(begun.code == 0, "\(begun)")
        _ = try await eventually(within: .seconds(30), { "the third epoch is not signed" }) {
            let text = try await story.client.get("/audit/checkpoint").text
            return text.hasPrefix("localhost/log/epoch-3\n") ? text : nil
        }
    }

    /// The exported folder holds without the server, and not when a byte of it was changed.
    private func export(_ folder: String, _ vkey: String) async throws {
        let out = folder + "/export"
        #expect(try await signalbox("audit", "export", "--out", out, "--data", folder).code == 0)
        let good = try await signalbox("audit", "verify", "--from", out, "--vkey", vkey)
        #expect(good.code == 0 && good.output.hasPrefix("authentic: "), "\(good)")
        #expect(try await python(vkey, "folder", out) == 0)
        let file = URL(filePath: out + "/checkpoint")
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count - 4] ^= 1
        try bytes.write(to: file)
        #expect(try await signalbox("audit", "verify", "--from", out, "--vkey", vkey).code == 1)
        #expect(try await python(vkey, "folder", out) != 0)
    }

    /// A proof from the API and one from the command line hold offline, and a changed one does not.
    private func proofs(_ story: Story, _ folder: String, _ vkey: String, _ position: Int64) async throws {
        let answer = try await story.client.get("/v1/events/\(position)/proof")
        #expect(answer.status == 200, "\(answer.text)")
        let file = folder + "/event.tlog-proof"
        try Data(answer.bytes).write(to: URL(filePath: file))
        let checked = try await signalbox("audit", "check-proof", file, "--vkey", vkey, "--json")
        #expect(checked.code == 0 && checked.json["position"] == .integer(position), "\(checked)")
        let own = try await signalbox("audit", "prove", "\(position)", "--out", file, "--data", folder)
        #expect(own.code == 0, "\(own)")
        #expect(try await signalbox("audit", "check-proof", file, "--vkey", vkey).code == 0)
        #expect(try await python(vkey, "proof", file) == 0)
        let growth = try await signalbox("audit", "prove", "--since", "1", "--data", folder)
        #expect(growth.code == 0 && growth.output.hasPrefix("old 1\n"), "\(growth)")
        #expect(try await signalbox("audit", "prove", "--since", "999999", "--data", folder).code == 3)
        #expect(try await signalbox("audit", "prove", "--data", folder).code == 2)
        let changed = try String(decoding: Data(contentsOf: URL(filePath: file)), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("index ") ? "index \(position)" : String($0) }.joined(separator: "\n")
        try Data(changed.utf8).write(to: URL(filePath: file))
        #expect(try await signalbox("audit", "check-proof", file, "--vkey", vkey).code == 1)
        #expect(try await signalbox("audit", "prove", "999999", "--data", folder).code == 3)
    }

    /// Waits until a checkpoint covers a position; gives it and the key that signed it.
    private func sealed(_ story: Story, through position: Int64) async throws -> (checkpoint: String, key: String) {
        let checkpoint = try await eventually(within: .seconds(30), { "position \(position) is not sealed" }) {
            let answer = try await story.client.get("/audit/checkpoint")
            let lines = answer.text.split(separator: "\n")
            guard answer.status == 200, lines.count > 1, let size = Int64(lines[1]), size >= position else {
                return nil as String?
            }
            return answer.text
        }
        return (checkpoint, try await story.client.get("/audit/vkey").text)
    }

    /// What the auditors' script says, which has nothing of ours.
    private func python(_ vkey: String, _ arguments: String...) async throws -> Int {
        let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        let text = try String(decoding: Data(contentsOf: URL(filePath: vkey)), as: UTF8.self)
        let key = String(text.prefix { $0 != "\n" })
        let result = try await Subprocess.run(
            .name("python3"),
            arguments: Arguments([root + "/Tests/Verifiers/verify_log.py", key] + arguments),
            output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 16)
        )
        guard case .exited(let status) = result.terminationStatus else { return -1 }
        return Int(status)
    }
}
