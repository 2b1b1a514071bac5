internal import FoundationEssentials

/// Where time and chance come from; pure code is handed one, tests hand it a fixed one.
package struct IDSource: Sendable {
    package var now: @Sendable () -> Timestamp
    package var random: @Sendable () -> UInt64

    package init(now: @escaping @Sendable () -> Timestamp, random: @escaping @Sendable () -> UInt64) {
        self.now = now
        self.random = random
    }

    /// A new identity of any kind.
    package func identifier<Subject>() -> Identifier<Subject> {
        Identifier(at: now(), random: random())
    }

    /// A new time-ordered UUID.
    package func unique() -> UniqueID {
        UniqueID(at: now(), random: (random(), random()))
    }

    /// The machine's clock and random generator.
    package static let system = IDSource(
        now: { Timestamp(microseconds: Int64((Date().timeIntervalSince1970 * 1_000_000).rounded())) },
        random: { UInt64.random(in: .min ... .max) }
    )
}
