internal import Glibc

/// One HTTP GET to 127.0.0.1, as a health check does it.
enum Probe {
    /// What came of it.
    enum Outcome: Sendable, Equatable {
        case answered(status: Int, body: String)
        case failed(String)

        /// A status from 200 to 299, as Nomad wants it.
        var isPassing: Bool {
            guard case .answered(let status, _) = self else { return false }
            return (200..<300).contains(status)
        }
    }

    /// - Parameters:
    ///   - port: On 127.0.0.1.
    ///   - path: Begins with a slash; `nil` only asks whether somebody listens.
    ///   - timeout: For all of it.
    /// - Returns: What came of it.
    static func get(port: Int, path: String?, timeout: Duration) async -> Outcome {
        guard let number = UInt16(exactly: port) else { return .failed("no port \(port)") }
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let handle = socket(AF_INET, flags, 0)
        guard handle >= 0 else { return .failed("no socket: errno \(errno)") }
        defer { close(handle) }
        // Over loopback a connection is there at once, or refused at once.
        guard Port.withAddress(number, { connect(handle, $0, $1) }) == 0 || errno == EINPROGRESS else {
            return .failed("connection refused")
        }
        guard let path else { return .answered(status: 200, body: "") }
        let head = "Host: 127.0.0.1:\(port)\r\nConnection: close\r\nUser-Agent: Consul Health Check\r\n\r\n"
        let request = Array("GET \(path) HTTP/1.1\r\n\(head)".utf8)
        guard send(handle, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            return .failed("connection reset")
        }
        let deadline = ContinuousClock.now + timeout
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < deadline, bytes.count < 1 << 16 {
            let count = recv(handle, &chunk, chunk.count, 0)
            if count > 0 {
                bytes += chunk.prefix(count)
            } else if count == 0 {
                return outcome(of: bytes)
            } else if errno != EAGAIN {
                return .failed("connection reset")
            } else if (try? await Task.sleep(for: .milliseconds(2))) == nil {
                // Only a cancelled sleep throws.
                return .failed("cancelled")
            }
        }
        return .failed("timed out")
    }

    private static func outcome(of bytes: [UInt8]) -> Outcome {
        let text = String(decoding: bytes, as: UTF8.self)
        let words = text.prefix { !$0.isNewline }.split(separator: " ")
        guard words.count > 1, let status = Int(words[1]) else { return .failed("no HTTP answer") }
        let body = text.firstRange(of: "\r\n\r\n").map { text[$0.upperBound...] } ?? ""
        return .answered(status: status, body: String(body.prefix(500)))
    }
}
