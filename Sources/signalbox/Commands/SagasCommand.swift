internal import ArgumentParser
internal import Kernel
internal import Projections

/// The noun `signalbox sagas`.
struct SagasCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sagas",
        abstract: "Long processes: what they did and what is next.",
        subcommands: [List.self, Show.self, Retry.self, Park.self, Resume.self, Cancel.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The newest sagas first.")

        @Option(help: "Only those that are queued, running, waiting, compensating, completed, compensated, parked, …")
        var status: String?

        @Option(help: "How many, at most 200.")
        var limit = 50

        @OptionGroup var reach: Reach

        func run() async throws {
            guard (1...200).contains(limit) else { throw Exit.usage("--limit is 1 to 200") }
            let wanted = try status.map { text in
                guard let status = OperationView.Status(rawValue: text) else {
                    throw Exit.usage("\(text) is not a status")
                }
                return status
            }
            let wish = PageRequest(limit: limit)
            let page = try await reach.readModels { models throws(ReadError) in
                try await models.operations(of: nil, status: wanted, page: wish).value
            }
            guard !reach.json else { return Terminal.say(try JSON.pretty(page)) }
            var table = Table("SAGA", "KIND", "SUBJECT", "STATUS", "STEP", "STARTED")
            for one in page.data {
                let step = one.steps.last { $0.status != .pending }?.id ?? ""
                table.add(one.id.description, one.kind, one.subject, one.status.rawValue, step, "\(one.startedAt)")
            }
            Terminal.say(table.text)
            if page.next != nil { Terminal.complain("(there are more than \(limit))") }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One saga, step by step.")

        @Argument(help: "Its id, as `sagas list` and the API's operations show it.")
        var id: String

        @OptionGroup var reach: Reach

        func run() async throws {
            guard let id = UniqueID(id) else { throw Exit.usage("\(id) is not a saga id") }
            let found = try await reach.readModels { models throws(ReadError) in try await models.operation(id).value }
            guard let found else { throw Exit.notFound("there is no saga \(id)") }
            guard !reach.json else { return Terminal.say(try JSON.pretty(found)) }
            Terminal.say("\(found.kind) for \(found.subject): \(found.status.rawValue)")
            var table = Table("STEP", "STATUS", "ATTEMPTS", "TOOK", "ERROR")
            for step in found.steps {
                table.add(
                    step.id,
                    step.status.rawValue,
                    "\(step.attempts)",
                    duration(step),
                    step.error.map { "\($0.code): \($0.message)" } ?? step.condition ?? ""
                )
            }
            Terminal.say(table.text)
            if let problem = found.problem { Terminal.say("problem: \(problem.message)") }
            if let next = found.nextActionAt { Terminal.say("next action at \(next)") }
        }

        private func duration(_ step: OperationView.Step) -> String {
            guard let start = step.startedAt, let end = step.endedAt else { return "" }
            return "\((end - start).milliseconds) ms"
        }
    }
}
