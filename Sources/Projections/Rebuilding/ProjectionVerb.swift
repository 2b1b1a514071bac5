internal import Kernel

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

    package enum Name: String, Sendable, CaseIterable {
        case rebuild, pause, resume, cancel
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

    package init(name: String, build: Int?, rebuild: RebuildState? = nil) {
        self.name = name
        self.build = build
        self.rebuild = rebuild
    }
}

extension ProjectionDesk {
    /// Does what an operator says.
    ///
    /// - Parameters:
    ///   - verb: What.
    ///   - name: To which read model.
    ///   - deed: Who, and why.
    /// - Returns: What came of it.
    /// - Throws: ``RebuildError``; nothing was changed then.
    package func act(
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
        }
    }
}
