/// The name of a stream: `category-id`, where the category is the text before the first `-`.
///
/// 3 to 200 bytes of `a–z 0–9 . _ -`, e.g. `instance-42` or `saga-provision-instance.0192…`.
package struct StreamName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// Takes a name that is well formed; `nil` otherwise.
    package init?(_ text: some StringProtocol) {
        let dash = UInt8(ascii: "-")
        var (count, dashes) = (0, 0)
        var (first, last) = (dash, dash)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "."), UInt8(ascii: "_"): break
            case dash: dashes += 1
            default: return nil
            }
            if count == 0 { first = byte }
            last = byte
            count += 1
        }
        guard (3...200).contains(count), first != dash, last != dash, dashes > 0 else { return nil }
        self.text = String(text)
    }

    /// The stream of one thing.
    ///
    /// - Precondition: Category and id make a well-formed name; both come from code, not from input.
    package init(category: String, id: some CustomStringConvertible) {
        guard let name = Self("\(category)-\(id)") else { preconditionFailure("not a stream name: \(category)-\(id)") }
        self = name
    }

    /// The text before the first `-`.
    package var category: String { String(text.prefix { $0 != "-" }) }

    /// The text after the first `-`.
    package var id: String { String(text.drop { $0 != "-" }.dropFirst()) }

    package var description: String { text }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}
