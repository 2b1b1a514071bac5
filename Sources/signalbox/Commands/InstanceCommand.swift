internal import ArgumentParser
internal import Kernel

/// The noun `signalbox instance`.
struct InstanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instance",
        abstract: "Instances.",
        subcommands: [
            Show.self, Stop.self, Start.self, RotateCredentials.self, Deploy.self, Upgrade.self,
            Downgrade.self, KeepPlan.self,
            Terminate.self, Reap.self,
        ]
    )

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one instance.")

        @Argument(help: "Its id.")
        var id: String

        @OptionGroup var reach: Reach

        func run() async throws {
            guard Identifier<InstanceSubject>(id) != nil else { throw Exit.usage("\(id) is not an instance id") }
            let (url, key) = try reach.api()
            let answer = try await APIClient(url: url, key: key).send("GET", "/v1/instances/" + id)
            Terminal.say(reach.json ? try JSON.pretty(answer.body) : try Self.text(answer.body))
        }

        /// What a person wants to see of an instance.
        static func text(_ instance: JSONValue) throws -> String {
            var lines = Table("INSTANCE", instance["id"]?.string ?? "")
            lines.add("name", instance["name"]?.string ?? "")
            lines.add("status", instance["status"]?.string ?? "")
            lines.add("plan", instance["plan"]?["tier"]?.string ?? "")
            lines.add("release", release(of: instance))
            lines.add("subscription", instance["subscription"]?["status"]?.string ?? "")
            lines.add("address", instance["launchUrl"]?.string ?? "")
            if let error = instance["lastError"], let step = error["step"]?.string {
                let (reason, kind) = (error["reason"]?.string ?? "", error["class"]?.string ?? "")
                lines.add("last error", "\(step): \(reason) (\(kind))")
            }
            for condition in instance["conditions"]?.array ?? [] {
                lines.add(
                    condition["type"]?.string ?? "",
                    "\(condition["status"]?.string ?? "") \(condition["reason"]?.string ?? "")"
                )
            }
            return lines.text
        }

        /// The version that it runs, the one that is asked for, and where they run.
        private static func release(of instance: JSONValue) -> String {
            var text = instance["release"]?["version"]?.string ?? ""
            if let wanted = instance["desiredRelease"]?.string, wanted != text { text += " → \(wanted)" }
            let slots = (instance["slots"]?.array ?? []).map { slot in
                let weight = slot["readWeight"]?.integer ?? slot["weight"]?.integer ?? 0
                return "\(slot["name"]?.string ?? "") \(slot["status"]?.string ?? "") \(weight) %"
            }
            return slots.isEmpty ? text : "\(text) (\(slots.joined(separator: ", ")))"
        }
    }
}
