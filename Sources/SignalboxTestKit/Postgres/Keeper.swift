internal import Glibc
internal import Synchronization

/// The shell that makes the cluster, runs the server, and outlives this process just long enough to clean up.
///
/// It reads words from a socket whose other end only this process holds: when that closes, for whatever reason,
/// `read` fails and the shell ends the server and removes the folder. No exit handler could see a `kill -9`.
final class Keeper: Sendable {
    private static let script = """
        folder=$1 binaries=$2 settings=$3
        run() { "$binaries/postgres" -D "$folder/data" <&- >>"$folder/log" 2>&1 & server=$!; }
        end() { kill -"$1" "$server" 2>/dev/null; wait "$server"; }
        # A stopped postmaster has no new children.
        freeze() { kill -STOP "$server" 2>/dev/null; children=$(cat "/proc/$server/task/$server/children"); }
        lives() { [ -e "/proc/$1" ] && ! grep -q '^State:.[ZX]' "/proc/$1/status" 2>/dev/null; }
        gone() { for child in $children; do while lives "$child"; do sleep 0.01; done; done; }
        "$binaries/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --no-locale --no-sync \\
            <&- >"$folder/log" 2>&1 || { echo failed >&0; read -r word; rm -rf "$folder"; exit 1; }
        printf '%s\\n' "$settings" >>"$folder/data/postgresql.conf"
        printf '%s\\n' 'local all all trust' 'host all all 127.0.0.1/32 scram-sha-256' >"$folder/data/pg_hba.conf"
        run
        while read -r word; do
            case $word in
                fast) end INT ;;
                immediate) end QUIT ;;
                crash) freeze; kill -KILL $children "$server" 2>/dev/null; wait "$server"; gone ;;
                behead) freeze; end KILL; gone ;;
                start) run ;;
                fill) cat /dev/zero >"$folder/data/ballast" 2>/dev/null ;;
                free) rm -f "$folder/data/ballast" ;;
            esac
            echo done >&0
        done
        end QUIT
        cd / && rm -rf "$folder"
        """

    /// Gives the data a small disk of its own, which only the keeper sees, and takes it away when the keeper has ended.
    private static let diskScript = """
        folder=$1 megabytes=$2 user=$3 group=$4
        shift 4
        mkdir "$folder/data" &&
            mount -t tmpfs -o "size=${megabytes}m,mode=0700,uid=$user,gid=$group" tmpfs "$folder/data" || exit 1
        "$@"
        cd / && umount "$folder/data" && rm -rf "$folder"
        """

    /// Our end of the socket; -1 once it was closed.
    private let line: Mutex<Int32>

    /// - Parameters:
    ///   - user: Who the server runs as; `nil` for who we are.
    ///   - folder: Where everything goes.
    ///   - binaries: Where `initdb` and `postgres` are.
    ///   - settings: Lines for `postgresql.conf`.
    ///   - disk: How many megabytes the data may take, on a disk of its own; needs `user`. `nil` for no limit.
    /// - Throws: ``PostgresServer/Failure`` when the shell cannot be run.
    init(user: ServerUser?, folder: String, binaries: String, settings: String, disk: Int?) throws {
        var ends: [Int32] = [-1, -1]
        // Close-on-exec from the start: a child of ours that held our end would keep the server alive.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw PostgresServer.Failure(description: "socketpair: errno \(errno)")
        }
        defer { close(ends[1]) }
        line = Mutex(ends[0])
        var command = ["/bin/sh", "-c", Self.script, "postgres-keeper", folder, binaries, settings]
        if let user {
            command =
                ["/usr/bin/setpriv", "--reuid=\(user.id)", "--regid=\(user.group)", "--clear-groups", "--"] + command
            if let disk {
                command =
                    ["/usr/bin/unshare", "--mount", "--", "/bin/sh", "-c", Self.diskScript, "postgres-disk", folder]
                    + ["\(disk)", "\(user.id)", "\(user.group)"] + command
            }
        }
        try Self.spawn(command, input: ends[1])
    }

    deinit {
        letGo()
    }

    /// Has the shell do one thing, and waits until it has.
    func tell(_ word: String) async throws {
        let handle = line.withLock { $0 }
        let message = Array((word + "\n").utf8)
        guard send(handle, message, message.count, Int32(MSG_NOSIGNAL)) == message.count else {
            throw PostgresServer.Failure(description: "the keeper of Postgres is gone")
        }
        let deadline = ContinuousClock.now + .seconds(60)
        var answer = ""
        while !answer.hasSuffix("\n") {
            var bytes = [UInt8](repeating: 0, count: 16)
            let count = recv(handle, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                answer += String(decoding: bytes[..<count], as: UTF8.self)
                continue
            }
            guard count < 0, ContinuousClock.now < deadline else {
                throw PostgresServer.Failure(description: "the keeper of Postgres did not \(word)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Whether there will never be a server, because `initdb` failed or the shell was killed.
    var hasFailed: Bool {
        line.withLock { handle in
            var byte: UInt8 = 0
            // It speaks first only to say that it failed.
            return recv(handle, &byte, 1, Int32(MSG_DONTWAIT | MSG_PEEK)) >= 0
        }
    }

    /// Closes our end, as the end of this process would.
    func letGo() {
        line.withLock { handle in
            if handle >= 0 { close(handle) }
            handle = -1
        }
    }

    private static func spawn(_ command: [String], input: Int32) throws {
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_adddup2(&files, input, 0)
        // Not ours: whoever reads our output waits until the last holder has closed it.
        posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that Ctrl-C ends us first and the keeper cleans up after.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        // Nothing of ours: a stray PGDATA or PGOPTIONS must not reach the server.
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), strdup("LC_ALL=C"), nil]
        defer { for text in arguments + environment { free(text) } }
        var child = pid_t()
        let failed = posix_spawn(&child, command[0], &files, &attributes, &arguments, &environment)
        guard failed == 0 else {
            throw PostgresServer.Failure(description: "cannot run \(command[0]): errno \(failed)")
        }
    }
}
