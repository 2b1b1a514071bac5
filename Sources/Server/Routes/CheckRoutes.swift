internal import HTTPTypes
internal import Kernel
internal import Platform
internal import Projections
internal import Sagas

/// How everything is now that an instance needs, looked at where it is.
extension API {
    var checkRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/instances/{instance}/checks",
                "checkInstance",
                "Looks at the job, the catalogue, the route, the tenant itself, its database and its role, as they are now; "
                    + "what was found is good for five seconds.",
                access: .scope(.read),
                success: .init(.ok, .named("InstanceChecks")),
                handler: checkInstance
            )
        ]
    }

    private func checkInstance(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let (instance, position) = try await visibleInstance(call)
        let isUp =
            switch instance.status {
            case .running, .changing: true
            case .provisioning, .provisioningFailed, .starting, .stopping, .stopped, .terminating, .terminated: false
            }
        let (look, now) = (backend.checks, ids.now)
        let found = await checked.value(of: instance.id, at: ContinuousClock.now) {
            await look(instance.id, isUp).map { InstanceChecksView(at: now(), data: $0) }
        }
        switch found {
        case .success(let view): return try .json(view, position: position)
        case .failure(let error): throw .unavailable(cause: error)
        }
    }
}

/// What was found of an instance, and when.
struct InstanceChecksView: Encodable, Sendable {
    /// The worst of all.
    var status: InstanceCheck.Status
    var at: Timestamp
    var data: [InstanceCheck]

    init(at moment: Timestamp, data: [InstanceCheck]) {
        self.at = moment
        self.data = data
        self.status =
            [.failing, .unknown, .passing].first { worst in data.contains { $0.status == worst } } ?? .skipped
    }
}

/// What was found lately, so that who asks again and again asks nobody outside.
actor Checked {
    typealias Found = Result<InstanceChecksView, PortError>

    private struct Look {
        var start: ContinuousClock.Instant
        var task: Task<Found, Never>
    }

    private var looks: [InstanceID: Look] = [:]
    private let span: Duration

    init(for span: Duration = .seconds(5)) {
        self.span = span
    }

    /// What a look of the last seconds finds, or one that begins now; all who ask at the same time wait for the same.
    func value(
        of instance: InstanceID,
        at now: ContinuousClock.Instant,
        _ look: @escaping @Sendable () async -> Found
    ) async -> Found {
        if let known = looks[instance], now - known.start < span { return await known.task.value }
        looks = looks.filter { now - $0.value.start < span }
        // A task of its own: whoever came first may leave while others wait.
        let task = Task { await look() }
        looks[instance] = Look(start: now, task: task)
        return await task.value
    }
}
