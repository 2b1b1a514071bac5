package import Kernel

/// W3C Trace Context: the trace a request belongs to, and the span that we are in it.
package struct TraceContext: Sendable, Equatable {
    /// 32 lower-case hexadecimal digits.
    package var trace: String
    /// 16 lower-case hexadecimal digits.
    package var span: String
    /// Two lower-case hexadecimal digits.
    package var flags: String
    /// The caller's span; `nil` when the trace begins here.
    package var parent: String?

    /// Whether somebody wants to see the trace.
    package var isSampled: Bool { UInt8(flags, radix: 16).map { $0 & 1 == 1 } ?? false }

    /// A span of our own in the caller's trace, or in a new one when the caller's header is missing or wrong.
    ///
    /// - Parameters:
    ///   - header: `traceparent` as it came in; versions above 00 are read by their first four fields.
    ///   - ids: Time and chance.
    ///   - ratio: The share of new traces that somebody wants to see.
    package init(continuing header: String?, ids: IDSource, ratio: Double = 0) {
        let fresh = ids.unique()
        let parent = header.flatMap(Self.parse)
        self.trace = parent?.trace ?? Hex.text(fresh.bytes)
        self.span = Self.span(ids.random())
        self.parent = parent?.span
        let isWanted = ratio > 0 && Double(ids.random() >> 11) < ratio * 0x1p53
        self.flags = parent?.flags ?? (isWanted ? "01" : "00")
    }

    /// The header that says where we are.
    package var header: String { "00-\(trace)-\(span)-\(flags)" }

    private static func span(_ random: UInt64) -> String {
        let bits = random == 0 ? 1 : random
        return Hex.text((0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) })
    }

    private static func parse(_ header: String) -> (trace: String, span: String, flags: String)? {
        let fields = header.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard fields.count >= 4, isHex(fields[0], 2), fields[0] != "ff", fields[0] != "00" || fields.count == 4,
            isHex(fields[1], 32), fields[1].contains(where: { $0 != "0" }),
            isHex(fields[2], 16), fields[2].contains(where: { $0 != "0" }),
            isHex(fields[3], 2)
        else { return nil }
        return (fields[1], fields[2], fields[3])
    }

    private static func isHex(_ text: String, _ count: Int) -> Bool {
        text.utf8.count == count
            && text.utf8.allSatisfy {
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
            }
    }
}
