internal import Glibc

/// Where the programs of a Postgres server are on this machine.
package enum Installation {
    /// The folder of `initdb` and `postgres`: `$PG_BIN`, the newest under `/usr/lib/postgresql`, or on `$PATH`.
    ///
    /// - Returns: `nil` when there is none.
    package static func binaries() -> String? {
        var places: [String] = []
        if let told = getenv("PG_BIN") { places.append(String(cString: told)) }
        places += (15...30).reversed().map { "/usr/lib/postgresql/\($0)/bin" }
        if let path = getenv("PATH") { places += String(cString: path).split(separator: ":").map(String.init) }
        return places.first { access($0 + "/initdb", X_OK) == 0 && access($0 + "/postgres", X_OK) == 0 }
    }
}
