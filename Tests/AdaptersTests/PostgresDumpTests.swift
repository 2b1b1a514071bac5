import Adapters
import Crypto
internal import FoundationEssentials
import Kernel
import Platform
import Postgres
import SignalboxTestKit
import Testing

@Suite("Final backups")
struct PostgresDumpTests {
    private let folder = FileManager.default.temporaryDirectory.appending(
        path: "sbx-backups-\(UInt64.random(in: .min ... .max))"
    ).path

    private func with(_ body: (TenantCluster) async throws -> Void) async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(try await TenantCluster.shared())
    }

    /// A program that stands in for `pg_dump`.
    private func program(_ lines: String) throws -> String {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/program"
        try "#!/bin/sh\n\(lines)\n".write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    @Test("everything of a tenant's is in one file, which only we may read, and whose size and hash are told")
    func whole() async throws {
        try await with { cluster in
            let tenant = try await cluster.provisioned()
            let inside = try await Connection.open(
                cluster.tcp(user: tenant.database.role, password: tenant.password, database: tenant.database.database)
            )
            try await inside.script("CREATE TABLE precious (thing text); INSERT INTO precious VALUES ('irreplaceable')")
            await inside.close()
            let script = "echo \"$@\" > '\(folder)/arguments'; exec pg_dump \"$@\""
            let dump = PostgresDump(of: cluster.tenants(), into: folder, program: try program(script))
            let first = try await dump.backUp(tenant.database, name: "one", fence: "sbx/s/final-backup/f1")
            let data = try Data(contentsOf: URL(filePath: first.path))
            #expect(first.path == folder + "/one.dump" && first.size == Int64(data.count) && data.count > 100)
            #expect(first.sha256 == Hex.text(SHA256.hash(data: data)))
            #expect(data.starts(with: Array("PGDMP".utf8)))
            let mode = try FileManager.default.attributesOfItem(atPath: first.path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let arguments = try String(contentsOfFile: folder + "/arguments", encoding: .utf8)
            #expect(arguments.contains(tenant.database.database))
            #expect(!arguments.contains(cluster.provisioner.revealed))
            // Once more, over what is there.
            let again = try await dump.backUp(tenant.database, name: "one", fence: "sbx/s/final-backup/f2")
            #expect(again.path == first.path)
        }
    }

    @Test("another's database is not saved, and one that is not there cannot be")
    func ownership() async throws {
        try await with { cluster in
            let dump = PostgresDump(of: cluster.tenants(), into: folder)
            let absent = await #expect(throws: PortError.self) {
                try await dump.backUp(cluster.tenant().database, name: "none", fence: "f")
            }
            #expect(absent?.code == "backup.absent")
            var other = try await cluster.provisioned().database
            other.owner.instance = "9"
            let foreign = await #expect(throws: PortError.self) {
                try await dump.backUp(other, name: "other", fence: "f")
            }
            // Taking the rest back would not bring it back: a person says whether to go on without a backup.
            for error in [absent, foreign] {
                guard case .blocked = error else { return #expect(Bool(false), "\(String(describing: error))") }
            }
        }
    }

    @Test(
        "what goes wrong has its class",
        arguments: [
            ("pg_dump: error: could not write: No space left on device", "backup.no-space"),
            ("pg_dump: error: query failed: ERROR:  permission denied for table x", "backup.forbidden"),
            ("pg_dump: error: aborting because of server version mismatch", "backup.version"),
            ("pg_dump: error: connection to server failed: Connection refused", "backup.failed"),
        ]
    )
    func failures(words: String, code: String) async throws {
        try await with { cluster in
            let tenant = try await cluster.provisioned().database
            let stub = try program("echo '\(words)' >&2; exit 1")
            let dump = PostgresDump(of: cluster.tenants(), into: folder, program: stub)
            let error = await #expect(throws: PortError.self) {
                try await dump.backUp(tenant, name: "one", fence: "f")
            }
            #expect(error?.code == code)
            if code != "backup.failed" {
                guard case .blocked = error else { return #expect(Bool(false), "\(String(describing: error))") }
            }
            #expect(!FileManager.default.fileExists(atPath: folder + "/one.dump"))
        }
    }

    @Test("a program or a folder that is not there is for a person")
    func missing() async throws {
        try await with { cluster in
            let tenant = try await cluster.provisioned().database
            let nothing = PostgresDump(of: cluster.tenants(), into: folder, program: "/nonexistent/pg_dump")
            let unstarted = await #expect(throws: PortError.self) {
                try await nothing.backUp(tenant, name: "one", fence: "f")
            }
            #expect(unstarted?.code == "backup.unstarted")
            let nowhere = PostgresDump(of: cluster.tenants(), into: "/proc/nonexistent")
            let error = await #expect(throws: PortError.self) {
                try await nowhere.backUp(tenant, name: "one", fence: "f")
            }
            #expect(error?.code == "backup.folder")
        }
    }

    @Test("what was put aside is saved before, dropped after, and nothing of the tenant is left")
    func reaped() async throws {
        try await with { cluster in
            var tenant = try await cluster.provisioned().database
            let tenants = cluster.tenants()
            let renamed = "zz_\(tenant.database)_1781913600"
            for _ in 0..<2 { try await tenants.quarantineDatabase(tenant, as: renamed, fence: "f") }
            let early = await #expect(throws: PortError.self) { try await tenants.dropRole(tenant, fence: "f") }
            #expect(early?.code == "postgres.2BP01")
            tenant.database = renamed
            for _ in 0..<2 { try await tenants.dropDatabase(tenant, fence: "f") }
            for _ in 0..<2 { try await tenants.dropRole(tenant, fence: "f") }
            #expect(try await tenants.probeDatabase(tenant) == .absent)
            #expect(try await tenants.probeRole(tenant) == .absent)
        }
    }
}
