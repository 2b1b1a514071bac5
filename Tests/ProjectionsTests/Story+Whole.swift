import Domain
import Kernel

@testable import Projections

/// What read models are made of beside organizations with instances that run.
extension Story {
    /// So many organizations with everything that happens to them and for them: no read model is without rows.
    static func whole(_ count: Int64) throws -> Story {
        var story = Story()
        for org in 1...count {
            let instance = org + 500
            try story.onboard(org, instance: instance, owner: org)
            try story.provision(cause: Int64(story.events.count), instance: instance, org: org)
            try story.issueKeys(org)
            let sent = OrganizationEvent.InvitationSent(
                invitation: UniqueID(UInt128(org)),
                tokenHash: "dd",
                role: .viewer,
                expiresAt: Self.moment(100)
            )
            try story.tell(OrganizationEvent.invitationSent(sent), of: org, org: org)
            try story.keepData(of: instance, org: org)
            try story.rollOut("\(org).0.0", to: instance)
        }
        return story
    }

    /// Keys of an organization, of its owner and of the platform, one of which is revoked.
    private mutating func issueKeys(_ org: Int64) throws {
        let (own, personal, platform) = (org * 10 + 1, org * 10 + 2, org * 10 + 3)
        let issued = APIKeyIssued(key: Self.identifier(own), hash: "aa", scopes: ["*"], role: .developer)
        try tell(OrganizationEvent.apiKeyIssued(issued), of: org, org: org)
        try tell(
            UserEvent.apiKeyIssued(APIKeyIssued(key: Self.identifier(personal), hash: "bb", scopes: ["read"])),
            of: org,
            org: nil
        )
        try tell(
            PlatformEvent.apiKeyIssued(
                .init(key: Self.identifier(platform), hash: "cc", role: .auditor, scopes: ["read"])
            ),
            of: "keys",
            org: nil
        )
        try tell(OrganizationEvent.apiKeyRevoked(.init(key: Self.identifier(own))), of: org, org: org)
    }

    /// The database of an instance, which is saved, and one that is put aside and dropped.
    private mutating func keepData(of instance: Int64, org: Int64) throws {
        for (generation, name) in ["old", "new"].enumerated() {
            try tell(
                InstanceEvent.databaseProvisioned(
                    .init(
                        database: "\(name)_\(org)",
                        role: "role_\(org)",
                        host: "db",
                        port: 5432,
                        generation: generation + 1
                    )
                ),
                of: instance,
                org: org
            )
        }
        try tell(
            InstanceEvent.backedUp(.init(database: "old_\(org)", path: "/b/\(org)", size: 3, sha256: "00")),
            of: instance,
            org: org
        )
        try tell(
            InstanceEvent.databaseQuarantined(
                .init(database: "old_\(org)", renamed: "zz_\(org)", until: Self.moment(9))
            ),
            of: instance,
            org: org
        )
        try tell(
            InstanceEvent.databaseDropped(.init(database: "old_\(org)", role: "role_\(org)")),
            of: instance,
            org: org
        )
    }

    /// A release that becomes the default, and a roll-out of it that is paused and goes on.
    private mutating func rollOut(_ version: String, to instance: Int64) throws {
        try tell(
            ReleaseEvent.registered(
                .init(version: version, image: "i:\(version)", status: .beta, minimumTier: .pro, breaking: false)
            ),
            of: "railzway",
            org: nil
        )
        try tell(ReleaseEvent.defaultSet(.init(version: version)), of: "railzway", org: nil)
        let rollout = instance + 1000
        let events: [RolloutEvent] = [
            .started(
                .init(
                    release: Self.release,
                    minimumTier: .pro,
                    strategy: .zeroDowntime,
                    waves: ["1", "100%"],
                    bake: 60,
                    tolerated: 0
                )
            ),
            .waveStarted(.init(wave: 1, instances: [Self.identifier(instance)], skipped: [], total: 1)),
            .paused(Because(reason: "a look")), .resumed(Because(reason: "fine")),
            .waveFinished(.init(wave: 1, changed: [Self.identifier(instance)], failed: [])), .finished(Nothing()),
        ]
        for event in events { try tell(event, of: rollout, org: nil) }
    }
}
