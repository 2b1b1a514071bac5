internal import Glibc
internal import Postgres
internal import Synchronization

/// A TCP proxy in front of a ``PostgresServer`` that can cut a connection at one place of the protocol.
///
/// It forwards whole messages of the client, so a cut falls exactly where it was asked for. Each connection is a thread.
package final class CuttingProxy: Sendable {
    /// Where the next prepared statement is cut.
    package enum Cut: String, Sendable, CaseIterable {
        /// The client has sent it and the server never gets it.
        case beforeStatement
        /// The server has got it and finds nobody to answer.
        case afterStatement
        /// The server has done it and the answer is thrown away.
        case beforeAnswer
    }

    private struct State {
        var armed: Cut?
        var cuts = 0
        var open: Set<Int32> = []
        var isClosed = false
    }

    /// Its TCP port on 127.0.0.1.
    package let port: Int
    private let listener: Int32
    private let path: String
    private let statement: [UInt8]
    private let state = Mutex(State())

    /// Starts one; it listens when this returns.
    ///
    /// - Parameters:
    ///   - server: What it stands before.
    ///   - statement: How the names of the prepared statements begin that are cut.
    /// - Throws: ``PostgresServer/Failure`` when there is no port.
    package init(before server: PostgresServer, cutting statement: String) throws {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(handle, $0, length) != 0 || listen(handle, 64) != 0 || getsockname(handle, $0, &length) != 0
            }
        }
        guard !failed else { throw PostgresServer.Failure(description: "no port for a proxy: errno \(errno)") }
        listener = handle
        port = Int(UInt16(bigEndian: address.sin_port))
        path = "\(server.folder)/.s.PGSQL.\(server.port)"
        self.statement = Array(statement.utf8)
        Self.thread { self.accept() }
    }

    /// A connection string that goes through it.
    package func conninfo(user: String, database: String) -> String {
        "host=127.0.0.1 port=\(port) user=\(user) dbname=\(database)"
    }

    /// Cuts the connection that sends the next such statement.
    package func arm(_ cut: Cut) {
        state.withLock { $0.armed = cut }
    }

    /// How many connections it has cut.
    package var cuts: Int { state.withLock { $0.cuts } }

    /// Ends every connection and listens no more.
    package func close() {
        let open = state.withLock { state in
            state.isClosed = true
            return state.open
        }
        for handle in open { shutdown(handle, Int32(SHUT_RDWR)) }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            Self.thread { self.serve(client) }
        }
        Glibc.close(listener)
    }

    private func serve(_ client: Int32) {
        let server = connect()
        let isWelcome = state.withLock { state in
            guard !state.isClosed, server >= 0 else { return false }
            state.open.formUnion([client, server])
            return true
        }
        if isWelcome {
            pump(client, server)
            state.withLock { $0.open.subtract([client, server]) }
        }
        // Reset, not closed in peace: what was on its way is lost.
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        Glibc.close(client)
        if server >= 0 { Glibc.close(server) }
    }

    private func pump(_ client: Int32, _ server: Int32) {
        var parser = ClientMessages()
        var cutting: Cut?
        var isAwaitingAnswer = false
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var handles = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&handles, 2, -1) > 0 else { return }
            if handles[1].revents != 0 {
                let count = recv(server, &buffer, buffer.count, 0)
                if isAwaitingAnswer { return }
                guard count > 0, Self.send(buffer[..<count], to: client) else { return }
            }
            guard handles[0].revents != 0 else { continue }
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            parser.add(buffer[..<count])
            while let message = parser.next() {
                if cutting == nil, message.binds(statement) { cutting = takeCut() }
                if cutting == .beforeStatement { return }
                guard Self.send(message.bytes[...], to: server) else { return }
                guard let cutting, message.kind == UInt8(ascii: "S") else { continue }
                if cutting == .afterStatement { return }
                isAwaitingAnswer = true
            }
        }
    }

    private func takeCut() -> Cut? {
        state.withLock { state in
            if state.armed != nil { state.cuts += 1 }
            defer { state.armed = nil }
            return state.armed
        }
    }

    private func connect() -> Int32 {
        let handle = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: path.utf8.prefix(room.count - 1))
        }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(handle, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if connected == 0 { return handle }
        Glibc.close(handle)
        return -1
    }

    private static func send(_ bytes: ArraySlice<UInt8>, to handle: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(handle, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        var handle = pthread_t()
        let failed = pthread_create(
            &handle,
            nil,
            { raw in
                // The pointer was retained just below, so it is never nil.
                guard let raw else { return nil }
                Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
                return nil
            },
            Unmanaged.passRetained(Body(body)).toOpaque()
        )
        precondition(failed == 0, "no thread for a proxy")
        pthread_detach(handle)
    }
}

/// What a client sends, message by message (https://www.postgresql.org/docs/15/protocol-message-formats.html).
private struct ClientMessages {
    struct Message {
        /// 0 before the session has begun.
        var kind: UInt8
        var bytes: [UInt8]

        /// Whether it binds a prepared statement whose name begins so, to the unnamed portal.
        func binds(_ statement: [UInt8]) -> Bool {
            kind == UInt8(ascii: "B") && bytes.count > 6 && bytes[5] == 0 && bytes[6...].starts(with: statement)
        }
    }

    private var bytes: [UInt8] = []
    private var hasBegun = false

    mutating func add(_ more: ArraySlice<UInt8>) {
        bytes.append(contentsOf: more)
    }

    mutating func next() -> Message? {
        let start = hasBegun ? 1 : 0
        guard bytes.count >= start + 4 else { return nil }
        let size = start + Int(number(at: start))
        guard bytes.count >= size else { return nil }
        let message = Message(kind: hasBegun ? bytes[0] : 0, bytes: Array(bytes[..<size]))
        // Asking for TLS or GSS comes before the startup message and looks like one.
        if !hasBegun { hasBegun = size < 8 || ![80_877_103, 80_877_104].contains(number(at: 4)) }
        bytes.removeFirst(size)
        return message
    }

    private func number(at place: Int) -> UInt32 {
        bytes[place..<(place + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
