package import Projections

/// Where operators look at the builds of read models, and where their deeds go.
package struct ProjectionDoor: Sendable {
    // No typed throws, as in ``SagaDoor``.
    package var act:
        @Sendable (ProjectionVerb, String, ProjectionDeed) async -> Result<ProjectionReceipt, RebuildError> =
            { _, _, _ in .failure(.unavailable) }
    package var rebuilds: @Sendable (String) async -> Result<[RebuildState], RebuildError> =
        { _ in .failure(.unavailable) }

    package init() {}

    /// Questions and deeds as the desk takes them.
    package init(_ desk: ProjectionDesk) {
        act = { verb, name, deed in
            do throws(RebuildError) {
                return .success(try await desk.act(verb, on: name, by: deed))
            } catch { return .failure(error) }
        }
        rebuilds = { name in
            do throws(RebuildError) {
                return .success(try await desk.rebuilds(name))
            } catch { return .failure(error) }
        }
    }
}
