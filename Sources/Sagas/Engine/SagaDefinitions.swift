internal import Domain

/// Every definition that a build knows, by kind and version.
package struct SagaDefinitions: Sendable {
    private let all: [String: [Int: SagaDefinition]]

    /// Of two definitions with one kind and version the later one counts.
    package init(_ definitions: [SagaDefinition]) {
        all = definitions.reduce(into: [:]) { $0[$1.kind, default: [:]][$1.version] = $1 }
    }

    /// In order.
    package var kinds: [String] { all.keys.sorted() }

    /// What a run that begins now goes by; `nil` when the kind is not known.
    package func latest(_ kind: String) -> SagaDefinition? {
        all[kind]?.max { $0.key < $1.key }?.value
    }

    /// What a run goes by that began with this version; `nil` when the build does not know it any more, or not yet.
    package func definition(_ kind: String, version: Int) -> SagaDefinition? {
        all[kind]?[version]
    }

    /// What a run goes by, as far as its first event says; `nil` when the build does not know it.
    func definition(of state: SagaState) -> SagaDefinition? {
        state.started.flatMap { definition($0.kind, version: $0.definition) }
    }
}
