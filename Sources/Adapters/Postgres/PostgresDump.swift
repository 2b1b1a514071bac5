internal import Crypto
internal import FoundationEssentials
internal import Glibc
internal import NIOPosix
package import Platform
internal import Postgres
internal import Subprocess
internal import SystemPackage

/// Saves tenants' databases with `pg_dump`, as the provisioner, into one folder.
///
/// The password goes through the child's environment: neither its arguments nor a file have it.
package struct PostgresDump: Backups {
    private let conninfo: String
    private let tenants: TenantPostgres
    private let folder: String
    private let program: String

    /// - Parameters:
    ///   - tenants: Whose databases they are.
    ///   - folder: Where the files go; made at the first backup, for nobody else to read.
    ///   - program: A path, or a name that is looked for in `PATH`; at least as new as the tenants' server.
    package init(of tenants: TenantPostgres, into folder: String, program: String = "pg_dump") {
        self.conninfo = tenants.conninfo
        self.tenants = tenants
        self.folder = folder
        self.program = program
    }

    package func backUp(
        _ database: TenantDatabase,
        name: String,
        fence: String
    ) async throws(PortError) -> DatabaseBackup {
        switch try await tenants.probeDatabase(database) {
        case .present: break
        // Nothing that is taken back brings it back: whether to go on without a backup is for a person to say.
        case .absent: throw .blocked(code: "backup.absent", message: "the database \(database.database) is gone")
        case .newer: throw .superseded(message: "the database \(database.database) is of a newer generation")
        case .foreign(let message): throw .blocked(code: "postgres.name-taken", message: message)
        case .pending(let message): throw .pending(code: "pending", message: message)
        }
        let (path, unfinished) = (folder + "/" + name + ".dump", folder + "/" + name + ".unfinished")
        try await onDisk { () throws(PortError) in try Self.prepare(folder, unfinished) }
        try await dump(database, to: unfinished, fence)
        return try await onDisk { () throws(PortError) in try Self.finish(unfinished, as: path) }
    }

    private func dump(_ database: TenantDatabase, to file: String, _ fence: String) async throws(PortError) {
        var parts: [String: String]
        do throws(PostgresError) {
            parts = try ConnectionInfo.parts(of: conninfo)
        } catch { throw .blocked(code: "backup.conninfo", message: "the provisioner's connection is malformed") }
        let password = parts.removeValue(forKey: "password") ?? ""
        parts["dbname"] = database.database
        parts["application_name"] = fence
        let target = parts.sorted { $0.key < $1.key }.map { "\($0)='\(Self.escaped($1))'" }.joined(separator: " ")
        var options = PlatformOptions()
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(5))]
        let outcome: (TerminationStatus, String)
        do {
            let result = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program),
                arguments: Arguments([
                    "--format=custom", "--no-password", "--lock-wait-timeout=30000", "--file=\(file)",
                    "--dbname=\(target)",
                ]),
                environment: .custom(Self.environment(password)),
                platformOptions: options,
                input: .none,
                output: .discarded,
                error: .string(limit: 1 << 16)
            )
            outcome = (result.terminationStatus, result.standardError)
        } catch {
            throw .blocked(code: "backup.unstarted", message: "\(program) cannot be run")
        }
        guard case .exited(0) = outcome.0 else { throw Self.failure(outcome.0, outcome.1) }
    }

    /// What `pg_dump` says goes by what it is about; its own words stay out, as those of the server do.
    static func failure(_ status: TerminationStatus, _ words: String) -> PortError {
        let words = words.lowercased()
        func says(_ texts: String...) -> Bool { texts.contains { words.contains($0) } }
        if says("no space left", "disk quota exceeded") {
            return .blocked(code: "backup.no-space", message: "there is no room for the backup")
        }
        if says("permission denied", "must be owner", "password authentication failed", "no pg_hba.conf entry") {
            return .blocked(code: "backup.forbidden", message: "the backup was not allowed")
        }
        if says("server version mismatch") {
            return .blocked(code: "backup.version", message: "pg_dump is older than the tenants' server")
        }
        if says("read-only file system", "could not open output file") {
            return .blocked(code: "backup.unwritable", message: "the backup cannot be written")
        }
        return .transient(code: "backup.failed", message: "pg_dump ended with \(status)")
    }

    /// Nothing of our own environment, which holds secrets, but where programs and certificates are.
    private static func environment(_ password: String) -> [Subprocess.Environment.Key: String] {
        func ours(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        var environment: [Subprocess.Environment.Key: String] = [
            "PATH": ours("PATH") ?? "/usr/bin:/bin", "PGPASSWORD": password, "LC_ALL": "C",
        ]
        if let home = ours("HOME") { environment["HOME"] = home }
        return environment
    }

    private static func escaped(_ value: String) -> String {
        String(value.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] })
    }
}

/// Files, on threads that may block.
extension PostgresDump {
    private func onDisk<Value: Sendable>(
        _ body: @escaping @Sendable () throws(PortError) -> Value
    ) async throws(PortError) -> Value {
        do {
            return try await NIOThreadPool.singleton.runIfActive { try body() }
        } catch let error as PortError {
            throw error
        } catch {
            throw .transient(code: "backup.no-thread", message: "the process is ending")
        }
    }

    private static func prepare(_ folder: String, _ unfinished: String) throws(PortError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch { throw .blocked(code: "backup.folder", message: "BACKUP_DIR cannot be made or entered") }
        // A part of an earlier attempt; that it is not there is the usual case.
        unlink(unfinished)
        // Made by us first, because pg_dump would make it for everybody to read.
        let descriptor = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .blocked(code: "backup.folder", message: "BACKUP_DIR cannot be written") }
        close(descriptor)
    }

    /// Reads what was written, makes sure that it stays, and gives it its name.
    private static func finish(_ unfinished: String, as path: String) throws(PortError) -> DatabaseBackup {
        let lost = PortError.transient(code: "backup.unreadable", message: "the backup cannot be read back")
        let descriptor = open(unfinished, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw lost }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw lost }
        var (hash, size) = (SHA256(), Int64(0))
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw lost }
            guard count > 0 else { break }
            buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            size += Int64(count)
        }
        guard size > 0, rename(unfinished, path) == 0 else { throw lost }
        // The name has to stay, too.
        let folder = open(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]), O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
        let hex = hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return DatabaseBackup(path: path, size: size, sha256: hex)
    }
}
