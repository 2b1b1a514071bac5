package import Domain

/// The write model of the releases of one application.
package struct Release: Decider {
    package static let stateVersion: Int16 = 1

    package enum Command: Sendable {
        case register(ReleaseEvent.Registered)
        case setDefault(version: String)
        case changeStatus(version: String, ReleaseStatus)
    }

    package enum Refusal: Error, Equatable, Sendable, CaseIterable {
        case unknownVersion
        /// The version is registered with another content.
        case alreadyRegistered
        case malformedVersion
        case malformedImage
        /// The version has reached its end of life.
        case endOfLife
        /// The version is the default; another has to become that first.
        case isDefault
        /// No version is the default.
        case noDefault
        /// The plan is too small for the version.
        case tierTooLow
    }

    package private(set) var versions: [String: ReleaseEvent.Registered] = [:]
    package private(set) var defaultVersion: String?

    package init() {}

    package mutating func evolve(_ event: ReleaseEvent) {
        switch event {
        case .registered(let fact): versions[fact.version] = fact
        case .defaultSet(let fact): defaultVersion = fact.version
        case .statusChanged(let fact): versions[fact.version]?.status = fact.status
        }
    }

    package func decide(_ command: Command) throws(Refusal) -> [ReleaseEvent] {
        switch command {
        case .register(var fact):
            guard Self.isVersion(fact.version) else { throw .malformedVersion }
            guard Self.isImage(fact.image) else { throw .malformedImage }
            guard let known = versions[fact.version] else { return [.registered(fact)] }
            // The status moves on by itself; the rest of a version never changes.
            fact.status = known.status
            guard known == fact else { throw .alreadyRegistered }
            return []
        case .setDefault(let version):
            guard let known = versions[version] else { throw .unknownVersion }
            guard known.status != .eol else { throw .endOfLife }
            return defaultVersion == version ? [] : [.defaultSet(.init(version: version))]
        case .changeStatus(let version, let status):
            guard let known = versions[version] else { throw .unknownVersion }
            guard known.status != status else { return [] }
            guard status != .eol || defaultVersion != version else { throw .isDefault }
            return [.statusChanged(.init(version: version, status: status))]
        }
    }
}

extension Release {
    /// What an instance of this tier may run.
    ///
    /// Without a version it is the default; the application is the one these releases are of.
    package func snapshot(
        of application: String,
        version: String? = nil,
        for tier: Tier
    ) throws(Refusal) -> ReleaseSnapshot {
        guard let version = version ?? defaultVersion else { throw .noDefault }
        guard let known = versions[version] else { throw .unknownVersion }
        guard known.status != .eol else { throw .endOfLife }
        guard known.minimumTier <= tier else { throw .tierTooLow }
        return ReleaseSnapshot(
            application: application,
            version: version,
            image: known.image,
            digest: known.digest
        )
    }

    /// What can be a tag of an image: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}` (OCI distribution specification 1.1).
    private static func isVersion(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && !text.hasPrefix(".") && !text.hasPrefix("-")
            && text.utf8.allSatisfy(isTagByte)
    }

    private static func isImage(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { isTagByte($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
    }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
