import Commands
import EventStore
import Glibc
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("The auditor's tools", .wholeMachine, .timeLimit(.minutes(15)))
struct AuditorToolTests {
    /// A log with one organization that was renamed, and its owner, with the ids of both.
    private func with(
        _ body: (_ signalbox: CommandLine, _ organization: String, _ user: String) async throws -> Void
    ) async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let desk = Samples.desk(running.log, subjects: PostgresSubjectKeys(pool: running.pool))
                _ = try await desk.registerRelease(Samples.release(), makeDefault: true, by: .own(ids: .system))
                let user = try await desk.registerUser(
                    issuer: "local",
                    subject: "ada",
                    email: "ada@example.com",
                    by: .own(ids: .system)
                ).answer.user
                let person = CommandEnvelope.own(Principal(.user(user)), ids: .system)
                let made = try await desk.onboard(name: "Acme", slug: "acme", price: "team-monthly", by: person)
                let id = made.answer.organization
                let again = CommandEnvelope.own(Principal(.user(user)), ids: .system)
                _ = try await desk.renameOrganization(id, to: "Second", by: again)
                try await body(
                    CommandLine(database: database.application),
                    "organization-\(id)",
                    "user-\(user)"
                )
            }
        }
    }

    @Test("tell a stream's history, what it was, and what changed")
    func lookingBack() async throws {
        try await with { signalbox, organization, _ in
            let history = try await signalbox("events", "history", organization, "--json")
            #expect(history.code == 0)
            #expect(history.lines.compactMap { $0["version"]?.integer } == [1, 2])
            let some = try await signalbox("events", "history", organization, "--type", "organization.renamed")
            #expect(some.output.contains(#"{"name":"Second"}"#))
            #expect(!some.output.contains("organization.created"))

            let now = try await signalbox("events", "at", organization)
            #expect(now.json["state"]?["name"] == "Second")
            let then = try await signalbox("events", "at", organization, "--version", "1")
            #expect(then.json["state"]?["name"] == "Acme")
            #expect(then.json["version"] == 1)
            let time = try #require(history.lines.first?["recordedAt"]?.string)
            #expect(try await signalbox("events", "at", organization, "--time", time).json["version"] == 1)

            let changes = try await signalbox("events", "diff", organization, "--from", "1", "--json")
            #expect(changes.json["changes"] == [["path": "/name", "before": "Acme", "after": "Second"]])
            let text = try await signalbox("events", "diff", organization, "--from", "1", "--to", "now")
            #expect(text.output == "/name: \"Acme\" → \"Second\"\n")
        }
    }

    @Test("say what is wrong, with the exit code that the table has for it")
    func exits() async throws {
        try await with { signalbox, organization, user in
            #expect(try await signalbox("events", "history", "instance-7").code == 3)
            #expect(try await signalbox("events", "at", "instance-7").code == 3)
            #expect(try await signalbox("events", "at", organization, "--version", "0").code == 3)
            #expect(try await signalbox("events", "at", organization, "--version", "3").code == 3)
            #expect(try await signalbox("events", "at", organization, "--position", "9999").code == 3)
            #expect(try await signalbox("events", "at", organization, "--version=-1").code == 2)
            #expect(try await signalbox("events", "diff", organization, "--to", "3").code == 3)
            #expect(try await signalbox("events", "list", "--after", "9999").code == 3)
            #expect(try await signalbox("events", "export", "--after", "9999").code == 3)
            #expect(try await signalbox("events", "segments", "--check", "--to", "/nowhere").code == 3)
            #expect(try await signalbox("events", "at", "saga-x").code == 3)
            #expect(try await signalbox("events", "at", "thing-x").code == 2)
            #expect(try await signalbox("events", "at", organization, "--version", "1", "--position", "2").code == 2)
            #expect(try await signalbox("events", "diff", organization, "--from", "yesterday").code == 2)
            #expect(try await signalbox("events", "history", "Nonsense").code == 2)
            #expect(try await signalbox("events", "export", "--format", "xml").code == 2)
            #expect(try await signalbox("events", "export", "--after", "-1").code == 2)
            func erasing(_ arguments: String...) async throws -> Int32 {
                try await signalbox.call(["events", "erase", "--directly"] + arguments).code
            }
            #expect(try await erasing("--subject", "user-7", "--reason", "x") == 3)
            #expect(try await erasing("--position", "999", "--reason", "x") == 3)
            #expect(try await erasing("--position", "1") == 2)
            #expect(try await erasing("--reason", "x") == 2)
            #expect(try await erasing("--position", "1", "--subject", user, "--reason", "x") == 2)
            #expect(try await erasing("--position", "1", "--reason", " ") == 2)
            #expect(try await erasing("--position", "1", "--reason", "x") == 0)
            let record = try await signalbox("events", "export", "--category", "erasure")
            let position = try #require(record.lines.first?["position"]?.integer)
            let state = try await signalbox("events", "at", "erasure-1").json["state"]
            #expect(state?["reason"] == "x" && state?["position"] == 1)
            #expect(try await erasing("--position", "\(position)", "--reason", "x") == 4)
            let nowhere = CommandLine(database: "host=/nowhere dbname=x user=x")
            #expect(try await nowhere("events", "export").code == 5)
        }
    }

    @Test("say what is wrong with an audit, with the exit code that the table has for it")
    func audits() async throws {
        try await with { signalbox, _, _ in
            let nowhere = try await signalbox("audit", "verify", "--from", "/nowhere")
            #expect(nowhere.code == 3)
            #expect(try await signalbox("audit", "prove", "--since", "0").code == 2)
            #expect(try await signalbox("audit", "prove", "0").code == 2)
            #expect(try await signalbox("audit", "prove", "9999").code == 3)
            #expect(try await signalbox("audit", "prove", "--since", "9999").code == 3)
            let file = "/tmp/signalbox-key-\(IDSource.system.unique())"
            #expect(try await signalbox("audit", "keygen", "--domain", "two words", "--out", file).code == 2)
            #expect(try await signalbox("audit", "keygen", "--domain", "example.com", "--out", file).code == 0)
            #expect(try await signalbox("audit", "keygen", "--domain", "example.com", "--out", file).code == 4)
            unlink(file)
        }
    }

    @Test("export everything that is wanted, as lines of either format")
    func export() async throws {
        try await with { signalbox, organization, _ in
            let all = try await signalbox("events", "export").lines
            #expect(all.compactMap { $0["position"]?.integer } == (1...Int64(all.count)).map { $0 })
            let cloud = try await signalbox("events", "export", "--format", "cloudevents").lines
            #expect(cloud.compactMap { $0["id"] } == all.compactMap { $0["id"] })
            #expect(cloud.allSatisfy { $0["specversion"] == "1.0" })
            let own = try await signalbox("events", "export", "--stream", organization).lines
            #expect(own.compactMap { $0["version"]?.integer } == [1, 2])
            let part = try await signalbox("events", "export", "--after", "1", "--through", "3").lines
            #expect(part.compactMap { $0["position"]?.integer } == [2, 3])
            let category = try await signalbox("events", "export", "--category", "user").lines
            #expect(category.compactMap { $0["type"]?.string } == ["user.registered"])
            let time = try #require(own.last?["recordedAt"]?.string)
            let late = try await signalbox("events", "export", "--from", time).lines
            #expect(late.compactMap { $0["version"]?.integer } == [2])
            #expect(try await signalbox("events", "export", "--to", time).lines.count == all.count - 1)
        }
    }

    @Test("make the log forget a person, for everybody who looks")
    func erasing() async throws {
        try await with { signalbox, _, user in
            func email() async throws -> [JSONValue?] {
                let events = try await signalbox("events", "history", user, "--json").lines
                let state = try await signalbox("events", "at", user).json["state"]?["registered"]
                let list = try await signalbox("events", "list", "--stream", user, "--json").json.array?.first
                let position = events.first?["position"]?.integer ?? 0
                let show = try await signalbox("events", "show", "\(position)").json
                return [events.first?["data"], state, list?["data"], show["data"]].map { $0?["email"] }
            }
            #expect(try await email() == Array(repeating: ["sealed": true], count: 4))
            let first = try await signalbox(
                "events",
                "erase",
                "--subject",
                user,
                "--reason",
                "asked",
                "--directly"
            )
            #expect(first.output == "\(user): erased\n", "\(first.errors)")
            #expect(try await email() == Array(repeating: ["erased": true], count: 4))
            let second = try await signalbox(
                "events",
                "erase",
                "--subject",
                user,
                "--reason",
                "asked",
                "--directly",
                "--json"
            )
            #expect(second.json == ["erased": [], "before": [.string(user)]])
            let record = try await signalbox("events", "export", "--category", "erasure").lines
            #expect(record.map { $0["actor"] } == ["system"])
            #expect(record.first?["data"] == ["subject": .string(user), "reason": "asked"])
        }
    }
}
