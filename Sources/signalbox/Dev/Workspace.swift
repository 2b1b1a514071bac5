internal import DevPlane
internal import FoundationEssentials
internal import Glibc
internal import Kernel

/// The folder of a development machine: what is in it, who may read it, and which ports it uses.
struct Workspace {
    /// Absolute.
    let root: String
    /// Whom Postgres drops to, when this process is root.
    let postgresAccount: Account?
    /// Whom tenants and the edge drop to, when this process is root; not the user whose files Postgres keeps.
    let tenantAccount: Account?

    var postgres: String { root + "/postgres" }
    var keys: String { root + "/keys" }
    var agent: String { root + "/agent" }
    var billing: String { root + "/billing" }
    var edge: String { root + "/edge" }
    /// The newest signed checkpoint of the log, outside of the database.
    var audit: String { root + "/audit" }
    var run: String { root + "/run" }
    var announcement: String { root + "/dev.json" }

    /// Makes the folders that are missing.
    ///
    /// - Throws: ``DevFailure``, when another process has this folder, or who Postgres runs as cannot get there.
    init(_ path: String) throws {
        let root = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        self.root = root.split(separator: "/").filter { $0 != "." }.reduce(into: "") { $0 += "/" + $1 }
        let isRoot = geteuid() == 0
        postgresAccount = isRoot ? try Self.account(["postgres", "nobody"]) : nil
        tenantAccount = isRoot ? try Self.account(["nobody"]) : nil
        let open = isRoot ? 0o711 : 0o700
        try Self.folder(self.root, mode: open)
        try Self.folder(postgres, mode: 0o700, owner: postgresAccount)
        try Self.folder(keys, mode: 0o700)
        try Self.folder(agent, mode: open)
        try Self.folder(billing, mode: 0o700)
        try Self.folder(audit, mode: 0o700)
        try Self.folder(edge, mode: 0o700, owner: tenantAccount)
        try Self.folder(run, mode: 0o700)
        if isRoot { try checkAncestors() }
    }

    /// Keeps other `dev` processes away from this folder until the returned lock is closed, or this process ends.
    func lock() throws -> Int32 {
        let handle = open(root + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard handle >= 0, flock(handle, LOCK_EX | LOCK_NB) == 0 else {
            throw DevFailure("another `signalbox dev` uses \(root)")
        }
        return handle
    }

    /// A secret that is made once and kept in a file that only we can read.
    func key(_ name: String, make: () -> String) throws -> String {
        let path = keys + "/" + name
        if let data = try? Data(contentsOf: URL(filePath: path)) { return String(decoding: data, as: UTF8.self) }
        // Only a key that is not there is made: one that cannot be read must never be replaced.
        guard access(path, F_OK) != 0, errno == ENOENT else { throw DevFailure("\(path) cannot be read") }
        let value = make()
        try Self.write(value, to: path)
        return value
    }

    /// A port that was used before if it is still free, else any free one.
    ///
    /// - Parameters:
    ///   - name: What listens there.
    ///   - wanted: What the person asked for; taken or an error. `nil` leaves the choice to us.
    /// - Returns: A port that was free a moment ago.
    /// - Throws: ``DevFailure``.
    func port(_ name: String, wanted: Int? = nil) throws -> Int {
        if let wanted, wanted > 0 {
            guard Self.isFree(wanted) else { throw DevFailure("port \(wanted) is in use") }
            return wanted
        }
        var ports = remembered
        if let port = ports[name], Self.isFree(port) { return port }
        guard let port = Self.anyPort else { throw DevFailure("no free port") }
        ports[name] = port
        try Self.write(String(decoding: JSON.encode(ports), as: UTF8.self), to: root + "/ports.json")
        return port
    }

    /// Writes a file whole or not at all, readable for us alone.
    static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
        let draft = path + ".draft"
        // Whoever owns the folder must not have put a link there that we would write through.
        unlink(draft)
        let handle = Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard handle >= 0 else { throw DevFailure("cannot write \(path)") }
        let bytes = Array(text.utf8)
        let written = Glibc.write(handle, bytes, bytes.count)
        fsync(handle)
        close(handle)
        guard written == bytes.count, rename(draft, path) == 0 else { throw DevFailure("cannot write \(path)") }
    }

    /// A folder with this mode and owner.
    static func folder(_ path: String, mode: Int, owner: Account? = nil) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard chmod(path, mode_t(mode)) == 0 else { throw DevFailure("cannot set the mode of \(path)") }
        guard let owner else { return }
        guard chown(path, owner.user, owner.group) == 0 else { throw DevFailure("cannot give \(path) away") }
    }

    private var remembered: [String: Int] {
        // Ports that cannot be read are chosen anew.
        guard let data = try? Data(contentsOf: URL(filePath: root + "/ports.json")) else { return [:] }
        return (try? JSON.decode([String: Int].self, from: data)) ?? [:]
    }

    /// Whoever Postgres runs as must be able to walk down to its folder.
    private func checkAncestors() throws {
        var path = ""
        for part in root.split(separator: "/").dropLast() {
            path += "/" + part
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            if status.st_mode & 0o001 == 0 {
                throw DevFailure(
                    "\(path) cannot be entered by the user that Postgres and tenants run as; choose another folder with --data"
                )
            }
        }
    }

    private static func account(_ names: [String]) throws -> Account {
        for name in names {
            guard let entry = getpwnam(name) else { continue }
            return Account(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
        }
        throw DevFailure("none of the users \(names.joined(separator: ", ")) exists, and this process is root")
    }

    private static func isFree(_ port: Int) -> Bool {
        bound(port) != nil
    }

    /// A port that is free now.
    static var anyPort: Int? { bound(0) }

    /// Binds and lets go; the port that it was, or `nil` when it is taken.
    private static func bound(_ port: Int) -> Int? {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard handle >= 0, let port = UInt16(exactly: port) else { return nil }
        defer { close(handle) }
        var reuse: Int32 = 1
        setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let taken = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(handle, raw, size) == 0 && getsockname(handle, raw, &size) == 0
            }
        }
        return taken ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }
}

/// Why the development plane does not start; the text is for the person at the terminal.
struct DevFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
