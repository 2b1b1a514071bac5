import Commands
import Domain
import Kernel
import SignalboxTestKit

/// The same draws for the same seed (SplitMix64).
struct Draws: RandomNumberGenerator {
    private var state: UInt64

    init(seed: Int) { state = UInt64(seed) }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// One of few, so that things happen to the same thing again and again.
    mutating func number() -> Int64 { Int64.random(in: 1...12, using: &self) }

    mutating func id<Subject>() -> Identifier<Subject> {
        Identifier(at: Timestamp(microseconds: 1_704_067_200_000_000), random: UInt64(number()))
    }

    mutating func unique() -> UniqueID { UniqueID(UInt128(number())) }

    mutating func one<Element>(of elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }

    mutating func role() -> Role { one(of: Role.allCases) }

    mutating func key() -> APIKeyIssued { APIKeyIssued(key: id(), hash: "\(number())", scopes: ["*"], role: role()) }
}

/// Random histories: what could have happened, and much that could not.
enum Histories {
    static func organization(_ draws: inout Draws) throws -> OrganizationEvent {
        switch draws.number() {
        case 1: .memberAdded(.init(user: draws.id(), role: draws.role()))
        case 2: .memberRoleChanged(.init(user: draws.id(), role: draws.role()))
        case 3: .memberRemoved(.init(user: draws.id()))
        case 4:
            .invitationSent(
                .init(
                    invitation: draws.unique(),
                    tokenHash: "",
                    role: draws.role(),
                    expiresAt: Timestamp(microseconds: draws.number())
                )
            )
        case 5: .invitationAccepted(.init(invitation: draws.unique(), user: draws.id()))
        case 6: .invitationRevoked(.init(invitation: draws.unique()))
        case 7, 8: .apiKeyIssued(draws.key())
        case 9: .apiKeyRevoked(.init(key: draws.id()))
        case 10 where Bool.random(using: &draws):
            .webhookRegistered(
                .init(
                    webhook: draws.unique(),
                    url: "https://a.example/\(draws.number())",
                    types: ["*"],
                    secret: .init(subject: "organization-1", box: "")
                )
            )
        case 10 where Bool.random(using: &draws): .webhookDisabled(.init(webhook: draws.unique(), reason: "x"))
        case 10 where Bool.random(using: &draws): .webhookRemoved(.init(webhook: draws.unique()))
        case 10: .renamed(.init(name: "Acme \(draws.number())"))
        default: try golden(&draws)
        }
    }

    static func user(_ draws: inout Draws) throws -> UserEvent {
        switch draws.number() {
        case 1...4: .apiKeyIssued(draws.key())
        case 5...8: .apiKeyRevoked(.init(key: draws.id()))
        default: try golden(&draws)
        }
    }

    static func platform(_ draws: inout Draws) throws -> PlatformEvent {
        switch draws.number() {
        case 1...7:
            .apiKeyIssued(.init(key: draws.id(), hash: "\(draws.number())", role: .operator, scopes: ["*"]))
        default: .apiKeyRevoked(.init(key: draws.id()))
        }
    }

    static func release(_ draws: inout Draws) throws -> ReleaseEvent {
        let version = "v\(draws.number())"
        return switch draws.number() {
        case 1...5: .registered(Samples.release(version))
        case 6...9: .statusChanged(.init(version: version, status: draws.one(of: ReleaseStatus.allCases)))
        default: .defaultSet(.init(version: version))
        }
    }

    static func instance(_ draws: inout Draws) throws -> InstanceEvent {
        switch draws.number() {
        case 1, 2: .retryRequested(.init(generation: Int(draws.number())))
        case 3, 4:
            .observed(.init(condition: "c\(draws.number())", status: .yes, reason: "", generation: Int(draws.number())))
        default: try golden(&draws)
        }
    }

    static func subscription(_ draws: inout Draws) throws -> SubscriptionEvent { try golden(&draws) }

    /// Any event of a family, as its golden file has it.
    private static func golden<Family: EventFamily>(_ draws: inout Draws) throws -> Family {
        let golden = draws.one(of: GoldenPayload.all(of: Family.self))
        let event = try Family.decode(
            type: golden.type,
            schemaVersion: golden.schemaVersion,
            payload: golden.bytes()
        )
        guard let event else { preconditionFailure("\(golden) is not of its family") }
        return event
    }
}
