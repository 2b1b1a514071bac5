internal import ArgumentParser
internal import EventStore
internal import Kernel
internal import Postgres
internal import Sagas
internal import Server

/// The noun `signalbox targets`.
struct TargetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "targets",
        abstract: "What sagas call, and how it is.",
        subcommands: [List.self, Open.self, Close.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every target that was ever called, and the version that the next deed is for."
        )

        @OptionGroup var desk: SagaDesk

        func run() async throws {
            let list = try await desk.targets()
            guard !desk.reach.json else { return Terminal.say(try JSON.pretty(list)) }
            var table = Table("TARGET", "STATUS", "UNTIL", "CALLS", "FAILED", "NOW", "TAKES", "WHY")
            for one in list.data {
                table.add(
                    one.name,
                    one.status,
                    one.until.map { "\($0)" } ?? "",
                    "\(one.calls)",
                    "\(one.failures)",
                    "\(one.inFlight)",
                    one.limits.text,
                    one.reason ?? one.lastError ?? ""
                )
            }
            Terminal.say(table.text)
            Terminal.say("version \(list.version)")
        }
    }

    struct Open: TargetDeedCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have a target left alone by every saga, until it is closed.",
            discussion:
                "As with any breaker, open means that nothing passes. Sagas sleep meanwhile and lose no attempt."
        )
        static let verb = TargetDoor.Verb.open
        @OptionGroup var given: TargetOrder
    }

    struct Close: TargetDeedCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget what was wrong with a target, and wake the sagas that wait for it."
        )
        static let verb = TargetDoor.Verb.close
        @OptionGroup var given: TargetOrder
    }
}

/// What is done to a target; each deed is an event with identity and reason, for a version that was seen.
protocol TargetDeedCommand: AsyncParsableCommand {
    static var verb: TargetDoor.Verb { get }
    var given: TargetOrder { get }
}

/// What every such command asks for.
struct TargetOrder: ParsableArguments {
    @Argument(help: "As in nomad, billing, tenant-postgres.")
    var target: String

    @Option(help: "Why; it stands in the log.")
    var reason: String

    @Option(help: "The version that `targets list` told; refused when somebody was faster.")
    var version: Int64

    @Option(help: "A key of your own: the same command with the same key again is the same deed.")
    var key: String?

    @OptionGroup var desk: SagaDesk
}

extension TargetDeedCommand {
    func run() async throws {
        let status = try await given.desk.act(Self.verb, given)
        if given.desk.reach.json {
            Terminal.say(try JSON.pretty(["name": .string(given.target), "status": .string(status)] as JSONValue))
        } else {
            Terminal.say("\(given.target): \(Self.verb.rawValue) is in the log; the target is \(status)")
        }
    }
}

extension TargetLimits {
    fileprivate var text: String {
        var parts: [String] = []
        if let most { parts.append("\(most) at once") }
        if let rate { parts.append("\(rate) a second") }
        if let burst { parts.append("\(burst) after a pause") }
        return parts.joined(separator: ", ")
    }
}

extension SagaDesk {
    fileprivate func targets() async throws -> TargetList {
        if directly { return try await onTargets { try await $0.list() } }
        let answer = try await client.send("GET", "/v1/admin/targets")
        return try JSON.decode(TargetList.self, from: JSON.encode(answer.body))
    }

    /// - Returns: What the target is then.
    fileprivate func act(_ verb: TargetDoor.Verb, _ order: TargetOrder) async throws -> String {
        if directly {
            let deed = SagaDeed(actor: Self.operator, reason: order.reason, expectedVersion: order.version)
            let target = order.target
            return try await onTargets { operations in
                switch verb {
                case .open: try await operations.open(target, deed).status
                case .close: try await operations.close(target, deed).status
                }
            }
        }
        let answer = try await client.send(
            "POST",
            "/v1/admin/targets/\(PercentEncoding.encode(order.target))/\(verb.rawValue)",
            body: ["reason": .string(order.reason), "version": .string(String(order.version))],
            headers: order.key.map { ["Idempotency-Key": $0] } ?? [:]
        )
        return answer.body["status"]?.string ?? ""
    }

    private func onTargets<Value: Sendable>(
        _ body: @Sendable @escaping (TargetOperations) async throws -> Value
    ) async throws -> Value {
        try await connected(naming: "the target") { log, pool in
            let board = PostgresTargetBoard(pool: pool)
            return try await body(TargetOperations(log: log, board: board, targets: TargetLimits.targets))
        }
    }
}
