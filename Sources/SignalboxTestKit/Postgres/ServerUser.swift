internal import Glibc

/// Who the server runs as, since Postgres refuses to run as root.
struct ServerUser: Sendable {
    let id: uid_t
    let group: gid_t

    /// `nil` when this process is not root and the server may run as what it is.
    static func current() throws -> ServerUser? {
        guard geteuid() == 0 else { return nil }
        for name in ["postgres", "nobody"] {
            guard let entry = getpwnam(name) else { continue }
            return ServerUser(id: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
        }
        throw PostgresServer.Failure(description: "root, but neither postgres nor nobody to become")
    }
}
