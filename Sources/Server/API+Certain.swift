internal import Commands
internal import HTTPTypes
internal import Kernel
internal import Projections

/// What is not found is looked for again where the log is known: who was told that something is there finds it.
extension API {
    /// The route, with a 404 that no read model gives only because it is behind the log.
    ///
    /// A client follows the `Location` of a 202 without a word about positions, and may come to another process than the
    /// one that answered it. Only what was not found waits, so that what is there costs nothing more.
    ///
    /// - Parameter route: As it is in the table.
    /// - Returns: It, or for a read that needs credentials the same with a second look.
    func certain(_ route: Route) -> Route {
        guard route.method == .get else { return route }
        switch route.access {
        case .open, .edge: return route
        case .scope, .platform, .operators: break
        }
        var route = route
        let look = route.handler
        route.handler = { call throws(Problem) in
            let missing: Problem
            do throws(Problem) {
                return try await look(call)
            } catch {
                missing = error
            }
            guard missing.slug == Problem.notFound.slug else { throw missing }
            try await catchUpWithLog(call)
            return try await look(call)
        }
        return route
    }

    /// Waits until the read models that the route uses reflect everything that is in the log now.
    private func catchUpWithLog(_ call: Call) async throws(Problem) {
        let end = try await ask { () throws(EventDoor.Failure) in try await backend.events.frontier() }
        let patience = max(settings.readWait, call.patience ?? .zero)
        do {
            try await backend.reads.wait(end, patience, call.models)
        } catch {
            switch error {
            case .behind(let position): throw .behind(at: position, wanted: end)
            case .unavailable, .busy, .beyond, .future, .tooMuch, .badCursor: throw .unavailable(cause: error)
            }
        }
    }
}
