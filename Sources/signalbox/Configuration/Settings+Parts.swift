internal import Platform

extension Settings {
    static func database(_ read: inout EnvironmentReader) -> String {
        let url = read.secret(
            "DATABASE_URL",
            as: "libpq URI or connection string",
            otherwise: "required, or `DB_HOST`"
        )
        let host = read.optional("DB_HOST", as: "name or address")
        let parts = conninfo(
            host: host ?? "",
            port: read.integer("DB_PORT", default: 5432, in: 1...65535),
            name: read.text("DB_NAME", as: "name", default: "signalbox"),
            user: read.text("DB_USER", as: "name", default: "signalbox"),
            password: read.secret("DB_PASSWORD"),
            sslMode: read.text("DB_SSL_MODE", as: "libpq's `sslmode`", default: "prefer")
        )
        if let url { return url }
        if host == nil {
            read.complain(
                "DATABASE_URL (or DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD) is missing: the database of the log"
            )
        }
        return parts
    }

    static func edge(_ read: inout EnvironmentReader) -> Edge {
        let edge = Edge(
            token: read.requiredSecret(
                "SIGNALBOX_TRAEFIK_TOKEN",
                meaning: "Traefik presents it for the route document"
            ),
            api: read.optional("TRAEFIK_API_URL", as: "URL"),
            provider: read.text("SIGNALBOX_SERVICE_PROVIDER", as: "`nomad` or `consulcatalog`", default: "nomad"),
            entryPoint: read.text("SIGNALBOX_ENTRY_POINT", as: "name", default: "websecure"),
            certificateResolver: read.optional("SIGNALBOX_CERT_RESOLVER", as: "name")
        )
        if !["nomad", "consulcatalog"].contains(edge.provider) {
            read.complain("SIGNALBOX_SERVICE_PROVIDER must be nomad or consulcatalog")
        }
        return edge
    }

    static func provisioner(_ read: inout EnvironmentReader) -> Provisioner {
        let host = read.required(
            "PROVISION_DB_HOST",
            "DB_HOST",
            as: "name or address",
            meaning: "the Postgres cluster of the tenants"
        )
        let port = read.integer("PROVISION_DB_PORT", default: 5432, in: 1...65535)
        let user = read.required("PROVISION_DB_USER", as: "name", meaning: "made by `signalbox provision prepare`")
        let password = read.secret("PROVISION_DB_PASSWORD")
        let sslMode = read.text("PROVISION_DB_SSL_MODE", as: "libpq's `sslmode`", default: "require")
        return Provisioner(
            conninfo: conninfo(
                host: host,
                port: port,
                // Settle locks are per database: they are all taken in this one, whatever PROVISION_DB_NAME says.
                name: "postgres",
                user: user,
                password: password,
                sslMode: sslMode
            ),
            address: DatabaseAddress(
                host: read.optional(
                    "PROVISION_DB_TENANT_HOST",
                    as: "name or address",
                    otherwise: "`PROVISION_DB_HOST`"
                ) ?? host,
                port: read.optionalInteger(
                    "PROVISION_DB_TENANT_PORT",
                    in: 1...65535,
                    otherwise: "`PROVISION_DB_PORT`"
                ) ?? port
            ),
            connectionLimit: read.integer("PROVISION_DB_CONNECTION_LIMIT", default: 110, in: 1...10_000),
            protecting: read.list("PROVISION_DB_PROTECT"),
            tenantSSLMode: sslMode
        )
    }

    static func nomad(_ read: inout EnvironmentReader) -> Nomad {
        let defaults = WorkloadTiming()
        return Nomad(
            url: read.address("NOMAD_ADDR", default: "http://127.0.0.1:4646"),
            token: read.secret("NOMAD_TOKEN"),
            namespace: read.text("NOMAD_NAMESPACE", as: "name", default: "default"),
            region: read.text("NOMAD_REGION", as: "name", default: "global"),
            datacenters: read.list("SIGNALBOX_DATACENTERS", default: "dc1"),
            timing: WorkloadTiming(
                minimumHealthy: read.seconds("SIGNALBOX_MIN_HEALTHY_TIME", default: defaults.minimumHealthy),
                healthyDeadline: read.seconds("SIGNALBOX_HEALTHY_DEADLINE", default: defaults.healthyDeadline),
                progressDeadline: read.seconds("SIGNALBOX_PROGRESS_DEADLINE", default: defaults.progressDeadline),
                checkInterval: read.seconds("SIGNALBOX_CHECK_INTERVAL", default: defaults.checkInterval),
                checkTimeout: read.seconds("SIGNALBOX_CHECK_TIMEOUT", default: defaults.checkTimeout)
            )
        )
    }

    /// Off unless `AUTH_SERVICE_URL` is set; then the rest must be there too.
    static func oauth(_ read: inout EnvironmentReader) -> OAuth? {
        let oauth = OAuth(
            url: read.address("AUTH_SERVICE_URL", default: ""),
            tenant: read.optional("AUTH_SERVICE_TENANT") ?? "",
            client: read.optional("AUTH_SERVICE_CLIENT_ID", "TENANT_OAUTH2_CLIENT_ID") ?? "",
            secret: read.secret("AUTH_SERVICE_CLIENT_SECRET", "TENANT_OAUTH2_CLIENT_SECRET") ?? "",
            timeout: read.seconds("AUTH_SERVICE_TIMEOUT", default: .seconds(10))
        )
        guard !oauth.url.isEmpty else { return nil }
        for (value, name, meaning) in [
            (oauth.tenant, "AUTH_SERVICE_TENANT", "sent as X-Tenant-ID"),
            (oauth.client, "AUTH_SERVICE_CLIENT_ID", "the service's client"),
            (oauth.secret, "AUTH_SERVICE_CLIENT_SECRET", "the service's client secret"),
        ] where value.isEmpty { read.complain("\(name) is missing: \(meaning)") }
        return oauth
    }

    /// A libpq connection string with every value quoted.
    static func conninfo(
        host: String,
        port: Int,
        name: String,
        user: String,
        password: String?,
        sslMode: String? = nil
    ) -> String {
        func quoted(_ value: String) -> String {
            "'" + value.reduce(into: "") { $0 += $1 == "'" || $1 == "\\" ? "\\\($1)" : String($1) } + "'"
        }
        var parts = ["host=\(quoted(host))", "port=\(port)", "dbname=\(quoted(name))", "user=\(quoted(user))"]
        if let password { parts.append("password=\(quoted(password))") }
        if let sslMode { parts.append("sslmode=\(quoted(sslMode))") }
        return parts.joined(separator: " ")
    }
}
