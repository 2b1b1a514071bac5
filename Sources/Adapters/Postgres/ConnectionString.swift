/// A libpq connection string with some of its parameters replaced.
///
/// In both of libpq's forms a parameter that comes again replaces the earlier one.
enum ConnectionString {
    static func replacing(_ parameters: [(String, String)], in conninfo: String) -> String {
        if conninfo.hasPrefix("postgresql://") || conninfo.hasPrefix("postgres://") {
            let query = parameters.map { $0 + "=" + HTTPCaller.segment($1) }.joined(separator: "&")
            return conninfo + (conninfo.contains("?") ? "&" : "?") + query
        }
        return parameters.reduce(conninfo) { $0 + " " + $1.0 + "='" + escaped($1.1) + "'" }
    }

    private static func escaped(_ value: String) -> String {
        String(value.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] })
    }
}
