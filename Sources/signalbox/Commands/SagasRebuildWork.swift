internal import ArgumentParser
internal import EventStore
internal import Kernel
internal import Postgres
internal import Sagas

extension SagasCommand {
    struct RebuildWork: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebuild-work",
            abstract: "Make the queue of sagas anew from the log.",
            discussion: """
                Works straight in the database, and may run beside a server: sagas that are driven meanwhile lose their \
                lease and are taken up again. Nothing is started, and no event is written.
                """
        )

        @OptionGroup var reach: Reach

        func run() async throws {
            let pool = Pool(
                conninfo: try reach.database,
                size: 2,
                role: "signalbox_append",
                applicationName: "signalbox-cli"
            )
            let outcome: Result<WorkRebuild.Report, any Error>
            do {
                let rebuild = WorkRebuild(
                    log: PostgresLog.reader(pool: pool, archive: reach.archive),
                    queue: PostgresWorkQueue(pool: pool),
                    definitions: try Ports.definitions(pool: pool)
                )
                outcome = .success(try await rebuild.run())
            } catch { outcome = .failure(error) }
            await pool.close()
            let report: WorkRebuild.Report
            do { report = try outcome.get() } catch { throw Exit.because(error) }
            guard !reach.json else { return Terminal.say(try JSON.pretty(report)) }
            Terminal.say("\(report.restored) sagas have their row again")
            for what in report.skipped { Terminal.complain("left as it is: \(what)") }
        }
    }
}
