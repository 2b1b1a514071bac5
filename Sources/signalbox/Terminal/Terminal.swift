internal import Glibc

/// Where people read what we say.
enum Terminal {
    /// A line on standard output.
    static func say(_ line: String) {
        put(line, on: 1)
    }

    /// A line on standard error.
    static func complain(_ line: String) {
        put(line, on: 2)
    }

    /// Written at once and whole, so that a pipe sees it while we go on.
    private static func put(_ line: String, on handle: Int32) {
        var bytes = Array((line + "\n").utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(handle, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
