/// The parts of a libpq connection string, for programs that take them one by one.
package enum ConnectionInfo {
    /// Every part that the string names, by the keyword that libpq has for it.
    ///
    /// - Parameter conninfo: A connection string or URI.
    /// - Returns: The parts.
    /// - Throws: ``PostgresError`` when it is malformed; the words never quote it.
    package static func parts(of conninfo: String) throws(PostgresError) -> [String: String] {
        try Session.parse(conninfo)
    }
}
