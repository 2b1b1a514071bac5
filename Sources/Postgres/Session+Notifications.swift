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
}
