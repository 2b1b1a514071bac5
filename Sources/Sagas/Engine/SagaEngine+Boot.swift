internal import Domain
package import EventStore
internal import Kernel

/// Why a build must not start: somebody has to finish these sagas with the build that knows them, or migrate them.
package struct UnknownSagas: Error, Equatable, CustomStringConvertible {
    /// Stream and what is not known of it, in the order of the streams.
    package var unknown: [String]

    package var description: String {
        "this build does not know what is under way: " + unknown.joined(separator: "; ")
    }
}

extension SagaEngine {
    /// The states in which a saga still has something to do.
    package static let activeStatuses = ["queued", "running", "waiting", "compensating", "parked"]

    /// Makes sure that every active saga names only what this build knows.
    ///
    /// - Returns: What is unknown; `nil` when all is well.
    /// - Throws: ``EventStore/LogError`` when the log cannot be asked.
    package func unknownSagas() async throws(LogError) -> UnknownSagas? {
        var unknown: [String] = []
        for item in try await queue.list(kinds: nil, statuses: Self.activeStatuses)
        where item.stream.category == SagaEvent.category {
            guard let definition = definitions[item.kind] else {
                unknown.append("\(item.stream) (kind \(item.kind))")
                continue
            }
            var state = SagaState()
            for event in try await log.readAll(item.stream) {
                do {
                    try state.evolve(event)
                } catch {
                    throw LogError.violated("\(item.stream) \(event.version) cannot be read as \(event.type)")
                }
            }
            let strange = state.started?.steps.filter { definition.step($0) == nil } ?? []
            if !strange.isEmpty { unknown.append("\(item.stream) (steps \(strange.joined(separator: ", ")))") }
        }
        return unknown.isEmpty ? nil : UnknownSagas(unknown: unknown)
    }
}
