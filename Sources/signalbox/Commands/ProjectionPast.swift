internal import ArgumentParser
internal import EventStore
internal import Kernel
internal import Postgres
internal import Projections

extension ProjectionsCommand {
    /// What a read model showed.
    struct At: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The rows of a read model as they were at a moment, folded from the log in memory.",
            discussion: "For much, `rebuild --to-position` makes tables of it."
        )

        @Argument(help: "The read model, as `projections list` names it.")
        var name: String

        @Option(help: "When the log had got so far.")
        var position: Int64?

        @Option(help: "After everything that was recorded at or before this time (RFC 3339).")
        var asOf: Timestamp?

        @Option(help: "Only the row with this key.")
        var key: String?

        @OptionGroup var whose: BlockedOrganization
        @OptionGroup var reach: Reach

        func validate() throws {
            guard position == nil || asOf == nil else {
                throw ValidationError("--position and --as-of exclude each other")
            }
            guard position ?? 0 >= 0 else { throw ValidationError("--position is not negative") }
        }

        func run() async throws {
            let moment = position.map(Moment.position) ?? asOf.map(Moment.time) ?? .now
            let rows = try await reach.shadow(of: name, whose.id, at: [moment])[0].filter {
                key == nil || $0.key == key
            }
            guard key == nil || !rows.isEmpty else { throw Exit.notFound("there was no such row then") }
            Terminal.say(try JSON.pretty(rows))
        }
    }

    /// What changed in a read model.
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Which rows of a read model came, went and changed between two positions of the log."
        )

        @Argument(help: "The read model, as `projections list` names it.")
        var name: String

        @Option(help: "The earlier position.")
        var from: Int64

        @Option(help: "The later position; the end of the log when it is not said.")
        var to: Int64?

        @OptionGroup var whose: BlockedOrganization
        @OptionGroup var reach: Reach

        /// One row that is not the same.
        private struct Change: Encodable {
            var key: String
            var before: JSONValue?
            var after: JSONValue?
        }

        func validate() throws {
            guard from >= 0, to ?? from >= from else { throw ValidationError("--from comes before --to") }
        }

        func run() async throws {
            let ends = [Moment.position(from), to.map(Moment.position) ?? .now]
            let sides = try await reach.shadow(of: name, whose.id, at: ends).map { rows in
                Dictionary(rows.map { ($0.key, $0.row) }) { first, _ in first }
            }
            let (before, after) = (sides[0], sides[1])
            let changes = Set(before.keys).union(after.keys).sorted().filter { before[$0] != after[$0] }.map {
                Change(key: $0, before: before[$0], after: after[$0])
            }
            guard !reach.json else { return Terminal.say(try JSON.pretty(changes)) }
            for change in changes {
                let sign = change.before == nil ? "+" : change.after == nil ? "-" : "~"
                Terminal.say(Table.printable("\(sign) \(change.key)"))
            }
        }
    }
}

extension Reach {
    /// Folds a read model in memory, as it was at some moments.
    fileprivate func shadow(
        of name: String,
        _ organization: OrganizationID?,
        at moments: [Moment]
    ) async throws -> [[ShadowRow]] {
        let pool = Pool(conninfo: try database, size: 2, role: "signalbox_append", applicationName: "signalbox-cli")
        let project = Pool(
            conninfo: try database,
            size: 1,
            role: "signalbox_project",
            applicationName: "signalbox-cli"
        )
        let models = ReadModels(pool: project)
        let shadow = ShadowBuild(
            log: PostgresLog.reader(pool: pool, archive: archive),
            most: 1_000_000,
            mostReads: .max,
            skipped: { name throws(ReadError) in try await models.skipped(of: name) }
        )
        var sides: [[ShadowRow]] = []
        var failure: ReadError?
        for moment in moments {
            do throws(ReadError) {
                guard let reading = try await shadow.rows(of: name, organization: organization, at: moment) else {
                    break
                }
                sides.append(reading.value.rows)
                for poison in reading.value.blocked {
                    let whose = poison.organization == 0 ? "what belongs to no organization" : "\(poison.organization)"
                    Terminal.complain("stays where it was: \(whose), at \(poison.position): \(poison.error)")
                }
            } catch {
                failure = error
                break
            }
        }
        await pool.close()
        await project.close()
        switch failure {
        case nil: break
        case .beyond(let end): throw Exit.notFound("the log ends at \(end)")
        case .future: throw Exit.usage("the moment is still to come")
        case .tooMuch(let most):
            throw Exit.failed("more than \(most) events; name an organization, or rebuild --to-position")
        case .unavailable, .busy, .behind, .badCursor: throw Exit.unavailable("the log cannot be read now")
        }
        guard sides.count == moments.count else { throw Exit.notFound("there is no read model \(name)") }
        return sides
    }
}
