import Commands
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("On Postgres")
struct OnPostgresTests {
    @Test("an onboarding is written, repeated and refused as in memory")
    func onboarding() async throws {
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
                let person = Principal(.user(user))
                let first = try await desk.onboard(
                    name: "Acme",
                    slug: "acme",
                    price: "team-monthly",
                    by: .keyed("k", person)
                )
                let again = try await desk.onboard(
                    name: "Acme",
                    slug: "acme",
                    price: "team-monthly",
                    by: .keyed("k", person)
                )
                #expect(again.repeated)
                #expect(again.answer == first.answer)
                #expect(again.position == first.position)
                await #expect(throws: CommandError.slugTaken) {
                    try await desk.onboard(name: "Other", slug: "acme", price: "team-monthly", by: .once(person))
                }
                #expect(try await desk.slugAvailability("acme") == .taken)
                #expect(
                    try await running.log.holder(of: Claim(kind: "host", key: "acme.example.test"))
                        == Streams.instance(first.answer.instance)
                )
                let renamed = try await desk.renameOrganization(
                    first.answer.organization,
                    to: "Emca",
                    by: .keyed("r", person)
                )
                _ = try await desk.renameOrganization(first.answer.organization, to: "Third", by: .once(person))
                var stale = CommandEnvelope.keyed("r", person)
                stale.expectedVersion = 1
                let repeated = try await desk.renameOrganization(first.answer.organization, to: "Emca", by: stale)
                #expect(repeated.repeated)
                #expect(repeated.version == renamed.version)
                #expect(repeated.position == renamed.position)
            }
        }
    }

    @Test("subjects' keys are kept, found and destroyed as in memory", arguments: [true, false])
    func subjectKeys(onPostgres: Bool) async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let keys: any SubjectKeys =
                    onPostgres ? PostgresSubjectKeys(pool: running.pool) : MemorySubjectKeys()
                #expect(try await keys.wrappedKey(of: "user-1") == .none)
                #expect(try await keys.keep([1, 2], for: "user-1") == .wrapped([1, 2]))
                #expect(try await keys.keep([3], for: "user-1") == .wrapped([1, 2]))
                try await keys.destroy(of: "user-1")
                try await keys.destroy(of: "user-1")
                #expect(try await keys.wrappedKey(of: "user-1") == .destroyed)
                #expect(try await keys.keep([4], for: "user-1") == .destroyed)
                try await keys.destroy(of: "user-2")
                #expect(try await keys.wrappedKey(of: "user-2") == .destroyed)
                #expect(try await keys.wrappedKey(of: "user-3") == .none)
            }
        }
    }
}
