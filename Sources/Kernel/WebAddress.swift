/// An address that somebody outside has us call, as far as its text can be judged: what its name stands for is judged
/// whenever it is called.
package struct WebAddress: Equatable, Sendable {
    /// With the host in lower case.
    package let text: String
    package let isSecure: Bool
    /// Without brackets.
    package let host: String
    package let port: Int

    /// Reads `https://host[:port]/path?query`, or `http:`; `nil` for anything else, and for what has a user, a fragment
    /// or anything but visible ASCII in it.
    package init?(_ text: String) {
        guard text.utf8.count <= 1000, text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != 0x5C && $0 != 0x22 }) else {
            return nil
        }
        let rest: Substring
        if text.hasPrefix("https://") {
            (isSecure, rest) = (true, text.dropFirst(8))
        } else if text.hasPrefix("http://") {
            (isSecure, rest) = (false, text.dropFirst(7))
        } else {
            return nil
        }
        guard !text.contains("#") else { return nil }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { return nil }
        var name = authority
        var end = Substring()
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            name = authority[authority.index(after: authority.startIndex)..<close]
            end = authority[authority.index(after: close)...]
            guard !name.isEmpty, name.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
        } else {
            name = authority.prefix { $0 != ":" }
            end = authority[name.endIndex...]
            let isName = name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".")
                    || byte == UInt8(ascii: "-")
            }
            guard isName, (1...253).contains(name.utf8.count) else { return nil }
        }
        if end.isEmpty {
            port = isSecure ? 443 : 80
        } else {
            let digits = end.dropFirst()
            guard end.hasPrefix(":"), (1...5).contains(digits.count), digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
                let number = Int(digits), (1...65_535).contains(number)
            else { return nil }
            port = number
        }
        host = String(name).lowercased()
        self.text = text.replacing(name, with: name.lowercased(), maxReplacements: 1)
    }
}
