internal import FoundationEssentials
internal import Glibc
internal import Kernel

/// A file of JSON lines that is only ever added to, except that the beginning may be written anew.
///
/// A line is written in one call before what it says is acted upon, so a killed process has lost nothing; a line cut off
/// by a kill was never acknowledged, and is dropped. Only its owner can read the file.
final class Journal<Line: Codable> {
    private let path: String
    private var handle: Int32 = -1

    /// Opens or makes the file.
    ///
    /// - Parameters:
    ///   - path: Its folder is made when it is missing.
    ///   - read: Is called with every line there is, in order.
    /// - Throws: ``JournalFailure``.
    init(_ path: String, read: (Line) -> Void) throws {
        self.path = path
        if let slash = path.lastIndex(of: "/") {
            try FileManager.default.createDirectory(atPath: String(path[..<slash]), withIntermediateDirectories: true)
        }
        let bytes = FileManager.default.contents(atPath: path) ?? Data()
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        for (number, line) in lines.enumerated() {
            do {
                read(try JSON.decode(Line.self, from: line))
            } catch {
                guard number == lines.count - 1 else {
                    throw JournalFailure("\(path): line \(number + 1) cannot be read")
                }
            }
        }
    }

    deinit {
        if handle >= 0 { close(handle) }
    }

    /// Replaces everything that was written so far by these lines, whole or not at all, and opens the file for more.
    func rewrite(_ lines: [Line]) throws {
        let new = path + ".new"
        let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw JournalFailure("\(new) cannot be written: errno \(errno)") }
        if handle >= 0 { close(handle) }
        handle = file
        for line in lines { try append(line) }
        guard rename(new, path) == 0 else { throw JournalFailure("\(path) cannot be replaced: errno \(errno)") }
    }

    /// Adds one line.
    func append(_ line: Line) throws {
        let bytes = try JSON.encode(line) + [UInt8(ascii: "\n")]
        guard write(handle, bytes, bytes.count) == bytes.count else {
            throw JournalFailure("\(path) cannot be written: errno \(errno)")
        }
    }
}

/// A state file that cannot be read or written.
struct JournalFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
