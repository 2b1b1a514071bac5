internal import EventStore
package import Kernel

/// What an operator does to a read model.
package enum ProjectionVerb: Sendable, Equatable {
    case rebuild(RebuildOrder)
    case pause
    case resume
    /// The rebuild under way, or a build that is not shown.
    case cancel(build: Int?)
    /// The newest rebuilt build, or this one.
    case show(build: Int?, acceptingDifferences: Bool)
    case rollBack
    /// Folds what a blocked organization missed; `nil` stands for what belongs to none.
    case retry(OrganizationID?)
    /// The same, without the event that blocks it.
    case skip(OrganizationID?)

    package enum Name: String, Sendable, CaseIterable {
        case rebuild, pause, resume, cancel, retry, skip
        case show = "switch"
        case rollBack = "rollback"
    }

    package var name: Name {
        switch self {
        case .rebuild: .rebuild
        case .pause: .pause
        case .resume: .resume
        case .cancel: .cancel
        case .show: .show
        case .rollBack: .rollBack
        case .retry: .retry
        case .skip: .skip
        }
    }
}

/// What came of it.
package struct ProjectionReceipt: Codable, Equatable, Sendable {
    package var name: String
    /// The build it was about.
    @Nullable package var build: Int?
    /// How its rebuild stands.
    package var rebuild: RebuildState?
    /// The event that is in the way now, of an organization that was tried again.
    package var blockedAt: Int64?
    /// Where the log had got to: the event of the deed is there; told in a header.
    package var position: Int64?

    package init(name: String, build: Int?, rebuild: RebuildState? = nil, blockedAt: Int64? = nil) {
        self.name = name
        self.build = build
        self.rebuild = rebuild
        self.blockedAt = blockedAt
    }
}

extension ProjectionDesk {
    /// Does what an operator says; the same command again is not done again, and answered the same.
    ///
    /// - Parameters:
    ///   - verb: What.
    ///   - name: To which read model.
    ///   - deed: Who, and why.
    /// - Returns: What came of it.
    /// - Throws: ``RebuildError``; nothing was changed then, unless the deed takes long and can be asked for again.
    package func act(
        _ verb: ProjectionVerb,
        on name: String,
        by deed: ProjectionDeed
    ) async throws(RebuildError) -> ProjectionReceipt {
        guard deed.requestHash != nil else { return try await place(try await perform(verb, on: name, by: deed)) }
        var known = deed
        known.earlier = try await doing { () async throws in try await recalled(deed) }
        if known.earlier != nil,
            let answer = try await doing({ () async throws in try await answered(known) })
        {
            return answer
        }
        let receipt = try await place(try await perform(verb, on: name, by: known))
        return try await doing { () async throws in try await remember(receipt, known) }
    }

    private func place(_ receipt: ProjectionReceipt) async throws(RebuildError) -> ProjectionReceipt {
        var receipt = receipt
        receipt.position = try await doing { () async throws in try await runner.log.frontier() }
        return receipt
    }

    private func perform(
        _ verb: ProjectionVerb,
        on name: String,
        by deed: ProjectionDeed
    ) async throws(RebuildError) -> ProjectionReceipt {
        switch verb {
        case .rebuild(let order):
            let state = try await rebuild(name, order, by: deed)
            return ProjectionReceipt(name: name, build: state.build, rebuild: state)
        case .pause, .resume:
            let state = try await pause(name, verb == .pause, by: deed)
            return ProjectionReceipt(name: name, build: state.build, rebuild: state)
        case .cancel(let build):
            try await cancel(name, build: build, by: deed)
            return ProjectionReceipt(name: name, build: build)
        case .show(let build, let accepting):
            let shown = try await show(name, build: build, acceptingDifferences: accepting, by: deed)
            return ProjectionReceipt(name: name, build: shown)
        case .rollBack:
            return ProjectionReceipt(name: name, build: try await rollBack(name, by: deed))
        case .retry(let organization):
            let position = try await unblock(name, organization, skipping: false, by: deed)
            return ProjectionReceipt(name: name, build: nil, blockedAt: position)
        case .skip(let organization):
            let position = try await unblock(name, organization, skipping: true, by: deed)
            return ProjectionReceipt(name: name, build: nil, blockedAt: position)
        }
    }
}
