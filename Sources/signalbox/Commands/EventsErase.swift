internal import ArgumentParser
internal import Commands
internal import EventStore
internal import Kernel
internal import Postgres

extension EventsCommand {
    /// Makes something unreadable.
    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a person's sealed fields, or the payload of an event, unreadable for ever.",
            discussion: """
                It cannot be taken back. The erasure is itself an event, with identity and reason; every proof still \
                verifies. What was erased before is only said. It goes through the API, as the operator whose key is used; \
                with --directly it goes straight to the database, as `system`.
                """
        )

        @Option(help: "Whose sealed fields: e.g. user-42.")
        var subject: String?

        @Option(help: "Where the event is whose payload goes; may be repeated.")
        var position: [Int64] = []

        @Option(help: "Why; it stands in the log, so it should not say what is to be forgotten.")
        var reason: String

        @Flag(help: "Without the API, over DATABASE_URL or the folder of `signalbox dev`.")
        var directly = false

        @OptionGroup var reach: Reach

        func validate() throws {
            guard (subject == nil) != position.isEmpty else {
                throw ValidationError("say either --subject or --position")
            }
        }

        func run() async throws {
            let erased = directly ? try await eraseInDatabase() : try await eraseOverAPI()
            guard !reach.json else { return Terminal.say(try JSON.pretty(erased)) }
            for one in erased.erased { Terminal.say("\(one): erased") }
            for one in erased.before { Terminal.say("\(one): was erased before") }
        }

        private func eraseOverAPI() async throws -> Erased {
            var body: [String: JSONValue] = ["reason": .string(reason)]
            if let subject { body["subject"] = .string(subject) }
            if !position.isEmpty { body["positions"] = .array(position.map(JSONValue.integer)) }
            let (url, key) = try reach.api(asOperator: true)
            let answer = try await APIClient(url: url, key: key)
                .send("POST", "/v1/admin/erasures", body: .object(body))
            return try JSON.decode(Erased.self, from: JSON.encode(answer.body))
        }

        private func eraseInDatabase() async throws -> Erased {
            let pool = Pool(
                conninfo: try reach.database,
                size: 2,
                role: "signalbox_append",
                applicationName: "signalbox-cli"
            )
            let erasures = Erasures(
                log: PostgresLog.reader(pool: pool, archive: reach.archive),
                eraser: PostgresEraser(pool: pool),
                subjects: PostgresSubjectKeys(pool: pool)
            )
            let outcome: Result<Erased, CommandError>
            do throws(CommandError) {
                let envelope = CommandEnvelope.own(ids: .system)
                let answer: Erased
                if let subject {
                    answer = try await erasures.erase(subject: subject, reason: reason, by: envelope).answer
                } else {
                    answer = try await erasures.erase(positions: position, reason: reason, by: envelope).answer
                }
                outcome = .success(answer)
            } catch {
                outcome = .failure(error)
            }
            await pool.close()
            do { return try outcome.get() } catch { throw Self.exit(error) }
        }

        private static func exit(_ error: CommandError) -> any Error {
            switch error {
            case .erasure(.unknownSubject(let subject)): Exit.notFound("nothing was ever sealed for \(subject)")
            case .erasure(.unknownPosition(let position)): Exit.notFound("there is no event at \(position)")
            case .erasure(.recordOfErasure(let position)):
                Exit.conflict("the event at \(position) records an erasure, and stays")
            case .erasure(.positionsMalformed): Exit.usage("1 to 1000 positions can be erased at once")
            case .erasure(.reasonMalformed):
                Exit.usage("the reason must have 1 to 500 characters and no control characters")
            case .unavailable: Exit.unavailable("the database cannot be asked now")
            default: Exit.failed("\(error)")
            }
        }
    }
}
