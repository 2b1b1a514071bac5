internal import HTTPTypes

/// RFC 6265, section 4.2: what a browser sends of what it keeps.
enum Cookies {
    /// The value of one; `nil` when it is not there, or there twice: then nobody can say which of them is ours.
    static func value(_ name: String, in headers: HTTPFields) -> String? {
        var found: String?
        for field in headers[values: .cookie] {
            for pair in field.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, String(parts[0]).trimmed == name else { continue }
                guard found == nil else { return nil }
                found = String(parts[1]).trimmed
            }
        }
        return found
    }
}
