internal import Kernel

/// The keys that one aggregate has given out.
struct Keys<Fact: Codable & Equatable & Sendable>: Equatable, Sendable {
    enum State: Equatable {
        case none
        case good(Fact)
        case revoked
    }

    private var good: [KeyID: Fact] = [:]
    private var revoked: Set<KeyID> = []

    /// The ids of those that can be used, in order.
    var allGood: [KeyID] { good.keys.sorted() }

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

extension Keys: Codable {
    private enum CodingKeys: CodingKey {
        case good, revoked
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        good = try container.decode([KeyID: Fact].self, forKey: .good)
        revoked = Set(try container.decode([KeyID].self, forKey: .revoked))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(good, forKey: .good)
        // Sorted: the same state is the same JSON.
        try container.encode(revoked.sorted(), forKey: .revoked)
    }
}
