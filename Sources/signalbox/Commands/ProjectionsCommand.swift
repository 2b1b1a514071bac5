internal import ArgumentParser
internal import Kernel
internal import Postgres
internal import Projections

/// The noun `signalbox projections`.
struct ProjectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projections",
        abstract: "Read models and how far they are.",
        subcommands: [
            List.self, Show.self, Rebuild.self, Rebuilds.self, Switch.self, Rollback.self, Pause.self, Resume.self,
            Cancel.self,
            Retry.self, Skip.self, At.self, Diff.self,
        ]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every read model, its position and its lag.")

        @OptionGroup var reach: Reach

        func run() async throws {
            let states = try await reach.readModels { models throws(ReadError) in try await models.projections() }
            guard !reach.json else { return Terminal.say(try JSON.pretty(states)) }
            var table = Table("PROJECTION", "SHAPE", "BUILD", "SLICES", "POSITION", "LAG", "BLOCKED")
            for state in states {
                table.add(
                    state.name,
                    "\(state.shape)",
                    "\(state.build)\(state.live ? "" : " (not live)")",
                    "\(state.slices.count)",
                    "\(state.position)",
                    "\(state.lag)",
                    "\(state.blocked)"
                )
            }
            Terminal.say(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The builds of a read model: how far each slice is, and which organizations an event blocks."
        )

        @Argument(help: "The read model, as `projections list` names it.")
        var name: String

        @OptionGroup var reach: Reach

        func run() async throws {
            let states = try await reach.readModels { models throws(ReadError) in try await models.projections() }
            let builds = states.filter { $0.name == name }
            guard !builds.isEmpty else { throw Exit.notFound("there is no such read model") }
            guard !reach.json else { return Terminal.say(try JSON.pretty(builds)) }
            for state in builds {
                Terminal.say("\(name) v\(state.shape), build \(state.build)\(state.live ? "" : " (not live)")")
                var slices = Table("SLICE", "POSITION", "LAG")
                for slice in state.slices { slices.add("\(slice.slice)", "\(slice.position)", "\(slice.lag)") }
                Terminal.say(slices.text)
                guard !state.blockedOrganizations.isEmpty else { continue }
                var blocked = Table("BLOCKED", "AT", "BECAUSE")
                for one in state.blockedOrganizations {
                    blocked.add(one.organizationId?.description ?? "(none)", "\(one.position)", one.error ?? "")
                }
                Terminal.say(blocked.text)
            }
        }
    }
}

extension Reach {
    /// Asks the read models, straight in the database: it works while the server is down.
    func readModels<Value: Sendable>(
        _ ask: (ReadModels) async throws(ReadError) -> Value
    ) async throws -> Value {
        let pool = Pool(conninfo: try database, size: 1, role: "signalbox_project", applicationName: "signalbox-cli")
        let answer: Result<Value, ReadError>
        do throws(ReadError) {
            answer = .success(try await ask(ReadModels(pool: pool)))
        } catch {
            answer = .failure(error)
        }
        await pool.close()
        switch answer {
        case .success(let value): return value
        case .failure(.busy), .failure(.unavailable): throw Exit.unavailable("the database cannot be asked now")
        case .failure(.behind(let position)): throw Exit.unavailable("the read models are only at \(position)")
        case .failure(.beyond(let end)): throw Exit.notFound("the log ends at \(end)")
        case .failure(.tooMuch): throw Exit.failed("that are too many events")
        case .failure(.future): throw Exit.usage("the moment is still to come")
        case .failure(.badCursor): throw Exit.usage("that cursor belongs to another list")
        }
    }
}
