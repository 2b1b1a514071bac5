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

    /// Bytes on standard output as they are.
    static func write(_ bytes: [UInt8]) {
        put(bytes, on: 1)
    }

    private static func put(_ line: String, on handle: Int32) {
        put(Array((line + "\n").utf8), on: handle)
    }

    /// Written at once and whole, so that a pipe sees it while we go on.
    private static func put(_ bytes: [UInt8], on handle: Int32) {
        var bytes = bytes[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(handle, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
