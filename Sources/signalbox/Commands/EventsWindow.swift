internal import ArgumentParser
internal import EventStore
internal import Kernel
internal import Postgres

extension Reach {
    /// Looks into the log, straight in the database: it works while the server is down.
    func window<Value: Sendable>(_ look: (LogWindow) async throws -> Value) async throws -> Value {
        let pool = Pool(conninfo: try database, size: 1, role: "signalbox_audit", applicationName: "signalbox-cli")
        let answer: Result<Value, any Error>
        do {
            // Without a listener the bell never rings, so what follows the log looks by itself.
            let log = PostgresLog.reader(pool: pool, archive: archive)
            let window = LogWindow(log: log, bell: Bell(), erased: PostgresErasedSubjects(pool: pool))
            answer = .success(try await look(window))
        } catch {
            answer = .failure(error)
        }
        await pool.close()
        do { return try answer.get() } catch { throw Exit.because(error) }
    }
}

extension Moment: ExpressibleByArgument {
    /// A version, `position:17`, an RFC 3339 time or `now`.
    init?(argument: String) {
        self.init(argument)
    }
}

extension StreamName: ExpressibleByArgument {
    /// `category-id`.
    init?(argument: String) {
        self.init(argument)
    }
}

extension Timestamp: ExpressibleByArgument {
    /// An RFC 3339 time.
    init?(argument: String) {
        self.init(argument)
    }
}
