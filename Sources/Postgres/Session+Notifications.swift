internal import CLibPQ

extension Session {
    /// Takes the next notification, and waits for it if there is none yet.
    func notification() throws(PostgresError) -> Listener.Element {
        var patience = Patience(limit: nil, whenCancelled: .giveUp)
        while true {
            if let heard = PQnotifies(raw) {
                defer { PQfreemem(heard) }
                return .notification(
                    channel: String(cString: heard.pointee.relname),
                    payload: String(cString: heard.pointee.extra)
                )
            }
            try wait(Int16(POLLIN), &patience)
            guard PQconsumeInput(raw) == 1 else { throw lost }
        }
    }

    /// A password as Postgres stores it, made on this side, so that the password itself never travels.
    func scramVerifier(password: String, user: String) throws(PostgresError) -> String {
        guard let verifier = PQencryptPasswordConn(raw, password, user, "scram-sha-256") else {
            throw PostgresError(.shape, message: words)
        }
        defer { PQfreemem(verifier) }
        return String(cString: verifier)
    }
}
