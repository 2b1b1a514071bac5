package import Kernel

/// Files behind one another in one (POSIX ustar), written and read one at a time.
package enum Tar {
    package static let mediaType = "application/x-tar"
    private static let block = 512
    /// No file of ours is longer: whoever reads an archive keeps one in memory.
    package static let most = 64 << 20

    /// Why an archive cannot be read.
    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case damaged
        /// It ends before its end.
        case cut
        case tooLong(String)

        package var description: String {
            switch self {
            case .damaged: "it is no archive, or it is damaged"
            case .cut: "it is cut off"
            case .tooLong(let name): "\(name) is too long"
            }
        }
    }

    /// One file with what comes before and after it.
    ///
    /// - Parameters:
    ///   - name: Its path, of at most 100 bytes.
    ///   - bytes: What is in it.
    ///   - moment: When it was made.
    /// - Returns: What is written.
    package static func file(_ name: String, _ bytes: [UInt8], at moment: Timestamp) -> [UInt8] {
        precondition(name.utf8.count <= 100 && !name.isEmpty, "no name of ours is longer")
        var header = [UInt8](repeating: 0, count: block)
        func put(_ text: String, at place: Int) {
            header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
        }
        put(name, at: 0)
        put("0000644", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(bytes.count, 11), at: 124)
        put(octal(Int(max(0, moment.microseconds / 1_000_000)), 11), at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
        let padding = (block - bytes.count % block) % block
        return header + bytes + [UInt8](repeating: 0, count: padding)
    }

    /// What comes after the last file.
    package static let end = [UInt8](repeating: 0, count: 2 * block)

    /// The next file of an archive.
    ///
    /// - Parameter read: Gives so many bytes, or fewer at the end.
    /// - Returns: Its name and what is in it; `nil` at the end of the archive.
    /// - Throws: ``Failure``, or what `read` throws.
    package static func next(_ read: (Int) throws -> [UInt8]) throws -> (name: String, bytes: [UInt8])? {
        let header = try read(block)
        guard header.count == block else { throw Failure.cut }
        if header.allSatisfy({ $0 == 0 }) { return nil }
        let sum = header.enumerated().reduce(0) { $0 + (148..<156 ~= $1.offset ? 0x20 : Int($1.element)) }
        guard let told = number(header[148..<156]), told == sum, let size = number(header[124..<136]),
            let name = String(validating: header[..<100].prefix { $0 != 0 }, as: UTF8.self), header[156] == 0x30
        else { throw Failure.damaged }
        guard size <= most else { throw Failure.tooLong(name) }
        let bytes = try read(size)
        guard bytes.count == size, try read((block - size % block) % block).count == (block - size % block) % block
        else { throw Failure.cut }
        return (name, bytes)
    }

    private static func octal(_ value: Int, _ digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        return String(validating: digits, as: UTF8.self).flatMap { Int($0, radix: 8) }
    }
}
