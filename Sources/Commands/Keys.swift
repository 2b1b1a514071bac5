internal import Kernel

/// The keys that one aggregate has given out.
struct Keys<Fact: Equatable & Sendable>: Sendable {
    enum State: Equatable {
        case none
        case good(Fact)
        case revoked
    }

    private var good: [KeyID: Fact] = [:]
    private var revoked: Set<KeyID> = []

    mutating func issued(_ fact: Fact, as key: KeyID) {
        good[key] = fact
    }

    mutating func revoked(_ key: KeyID) {
        good[key] = nil
        revoked.insert(key)
    }

    func state(of key: KeyID) -> State {
        if revoked.contains(key) { return .revoked }
        return good[key].map(State.good) ?? .none
    }
}
