import Commands
import Domain
import Kernel
import SignalboxTestKit
import Testing

@Suite("User")
struct UserTests {
    private let fact = UserEvent.Registered(issuer: "local", subjectHash: "h")
    private let key = APIKeyIssued(key: IDSource.system.identifier(), hash: "h", scopes: ["*"])

    @Test("a person is registered once under one identity")
    func register() {
        given(User.self).when(.register(fact)).then(.registered(fact))
        let other = UserEvent.Registered(issuer: "local", subjectHash: "i")
        given(User.self, .registered(fact)).when(.register(other)).refused(.alreadyRegistered)
    }

    @Test("nothing happens to somebody who is not registered")
    func absent() {
        let commands: [User.Command] = [
            .issueKey(key), .revokeKey(key.key), .erase(reason: "asked"), .updateProfile(firstName: nil, lastName: nil),
        ]
        for command in commands { given(User.self).when(command).refused(.notRegistered) }
    }

    @Test("keys are issued and revoked")
    func keys() {
        given(User.self, .registered(fact)).when(.issueKey(key)).then(.apiKeyIssued(key))
        given(User.self, .registered(fact)).when(.revokeKey(key.key)).refused(.unknownKey)
        given(User.self, .registered(fact), .apiKeyIssued(key))
            .when(.revokeKey(key.key)).then(.apiKeyRevoked(.init(key: key.key)))
        var other = key
        other.hash = "other"
        given(User.self, .registered(fact), .apiKeyIssued(key)).when(.issueKey(other)).refused(.keyExists)
    }

    @Test("an erased person gets nothing new, but their keys can still be revoked")
    func erased() {
        let erased: [UserEvent] = [.registered(fact), .apiKeyIssued(key), .erased(.init(reason: "asked"))]
        given(User.self, .registered(fact)).when(.erase(reason: "asked")).then(.erased(.init(reason: "asked")))
        given(User.self, .registered(fact), .apiKeyIssued(key))
            .when(.erase(reason: "asked"))
            .then(.apiKeyRevoked(.init(key: key.key)), .erased(.init(reason: "asked")))
        given(User.self, after: erased).when(.issueKey(key)).refused(.erased)
        given(User.self, after: erased).when(.register(fact)).refused(.alreadyRegistered)
        given(User.self, after: erased).when(.revokeKey(key.key)).then(.apiKeyRevoked(.init(key: key.key)))
    }

    @Test("an update without a name changes nothing")
    func profile() {
        let sealed = Sealed(subject: "user-1", box: "eA==")
        given(User.self, .registered(fact)).when(.updateProfile(firstName: nil, lastName: nil)).then()
        given(User.self, .registered(fact))
            .when(.updateProfile(firstName: sealed, lastName: nil))
            .thenOnce(.profileUpdated(.init(firstName: sealed)))
    }
}

@Suite("Release")
struct ReleaseTests {
    private let stable = Samples.release("v1")

    @Test("a version is registered once, and never with another content")
    func register() {
        given(Release.self).when(.register(stable)).then(.registered(stable))
        var other = stable
        other.breaking = true
        given(Release.self, .registered(stable)).when(.register(other)).refused(.alreadyRegistered)
    }

    @Test("registering again after the status moved on changes nothing")
    func registerAgain() {
        let deprecated = ReleaseEvent.statusChanged(.init(version: "v1", status: .deprecated))
        given(Release.self, .registered(stable), deprecated).when(.register(stable)).then()
    }

    @Test("versions and images that no registry could hold are refused")
    func malformed() {
        for version in ["", ".v1", "-v1", "v 1", String(repeating: "v", count: 129)] {
            given(Release.self).when(.register(Samples.release(version))).refused(.malformedVersion)
        }
        var fact = stable
        for image in ["", "image with spaces", "image@sha256:0", String(repeating: "i", count: 256)] {
            fact.image = image
            given(Release.self).when(.register(fact)).refused(.malformedImage)
        }
    }

    @Test("only a version that is known and alive becomes the default")
    func setDefault() {
        given(Release.self).when(.setDefault(version: "v1")).refused(.unknownVersion)
        given(Release.self, .registered(stable))
            .when(.setDefault(version: "v1")).then(.defaultSet(.init(version: "v1")))
        let dead = ReleaseEvent.statusChanged(.init(version: "v1", status: .eol))
        given(Release.self, .registered(stable), dead).when(.setDefault(version: "v1")).refused(.endOfLife)
    }

    @Test("the default cannot reach its end of life while it is the default")
    func endOfLife() {
        given(Release.self, .registered(stable), .defaultSet(.init(version: "v1")))
            .when(.changeStatus(version: "v1", .eol)).refused(.isDefault)
        given(Release.self, .registered(stable))
            .when(.changeStatus(version: "v1", .eol)).then(.statusChanged(.init(version: "v1", status: .eol)))
        given(Release.self).when(.changeStatus(version: "v1", .eol)).refused(.unknownVersion)
    }

    @Test("an instance may run a version that is alive and that its tier has")
    func snapshot() throws {
        var large = Samples.release("v2")
        (large.minimumTier, large.digest) = (.team, "sha256:0")
        let model = Release(replaying: [.registered(stable), .registered(large), .defaultSet(.init(version: "v1"))])
        #expect(try model.snapshot(of: "railzway", for: .freeTrial).version == "v1")
        #expect(try model.snapshot(of: "railzway", version: "v2", for: .team).digest == "sha256:0")
        #expect(throws: Release.Refusal.tierTooLow) { try model.snapshot(of: "railzway", version: "v2", for: .pro) }
        #expect(throws: Release.Refusal.unknownVersion) { try model.snapshot(of: "railzway", version: "v3", for: .pro) }
        #expect(throws: Release.Refusal.noDefault) { try Release().snapshot(of: "railzway", for: .pro) }
    }
}

@Suite("Platform keys")
struct PlatformKeysTests {
    private let fact = PlatformEvent.KeyIssued(
        key: IDSource.system.identifier(),
        hash: "h",
        role: .operator,
        scopes: ["*"]
    )

    @Test("a key is issued, and issued again changes nothing")
    func issue() {
        given(PlatformKeys.self).when(.issue(fact)).then(.apiKeyIssued(fact))
        var other = fact
        other.role = .auditor
        given(PlatformKeys.self, .apiKeyIssued(fact)).when(.issue(other)).refused(.keyExists)
    }

    @Test("a revoked key never comes back")
    func revoke() {
        let revoked = PlatformEvent.apiKeyRevoked(.init(key: fact.key))
        given(PlatformKeys.self).when(.revoke(fact.key)).refused(.unknownKey)
        given(PlatformKeys.self, .apiKeyIssued(fact)).when(.revoke(fact.key)).then(revoked)
        given(PlatformKeys.self, .apiKeyIssued(fact), revoked).when(.issue(fact)).refused(.keyExists)
    }
}
