/// What a tenant is told by its environment, in the names the real one reads.
struct TenantEnvironment: Sendable, Equatable {
    var organization: String
    var name: String
    var host: String
    var port: String
    var database: String
    var user: String
    var password: String
    var sslMode: String
    /// Where it listens, on 127.0.0.1.
    var listen: Int
    /// Which slot's scheduler it is.
    var slot: String
    var image: String

    /// - Throws: ``Tenant/Failure/environment(_:)`` with the first name that is missing; an empty value is a missing one.
    init(_ environment: [String: String]) throws(Tenant.Failure) {
        func value(_ name: String) throws(Tenant.Failure) -> String {
            guard let value = environment[name], !value.isEmpty else { throw .environment("\(name) is missing") }
            return value
        }
        func optional(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        organization = try value("BOOTSTRAP_DEFAULT_ORG_ID")
        // The real one ends at once when it is in the cloud and belongs to nobody.
        guard organization != "0", Int64(organization) != nil else {
            throw .environment("BOOTSTRAP_DEFAULT_ORG_ID is no id")
        }
        name = optional("BOOTSTRAP_DEFAULT_ORG_NAME") ?? ""
        host = try value("DB_HOST")
        port = try value("DB_PORT")
        database = try value("DB_NAME")
        user = try value("DB_USER")
        password = try value("DB_PASSWORD")
        sslMode = optional("DB_SSL_MODE") ?? "disable"
        // Without a network namespace the port of the host is the one to listen on.
        let listen = optional("NOMAD_HOST_PORT_http") ?? optional("PORT") ?? "8080"
        guard let number = Int(listen), (1...65535).contains(number) else { throw .environment("PORT is no port") }
        self.listen = number
        slot = optional("SIGNALBOX_SLOT") ?? "a"
        image = optional("SIGNALBOX_IMAGE") ?? ""
    }

    /// A libpq connection string; every value is quoted.
    var conninfo: String {
        let values = [
            ("host", host), ("port", port), ("dbname", database), ("user", user), ("password", password),
            ("sslmode", sslMode), ("connect_timeout", "5"), ("application_name", "tenant-\(organization)"),
        ]
        return values.map { name, value in
            let escaped = value.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] }
            return "\(name)='\(String(escaped))'"
        }.joined(separator: " ")
    }
}
