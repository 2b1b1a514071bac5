internal import ArgumentParser
internal import Audit
internal import EventStore
internal import FoundationEssentials
internal import Kernel
internal import Postgres

/// The noun `signalbox audit`.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "The signed tree over the log: check it, prove an event, take it away, begin it anew.",
        subcommands: [
            Status.self, Verify.self, Prove.self, CheckProof.self, Export.self, Keygen.self, NewEpoch.self,
        ]
    )

    /// Where the newest checkpoint is kept outside of the database.
    struct Outside: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "The folder of the newest checkpoint; else SIGNALBOX_AUDIT_CHECKPOINTS, or that of --data.",
                valueName: "dir"
            )
        )
        var checkpoints: String?

        func folder(_ reach: Reach) -> CheckpointFolder? {
            if let checkpoints { return CheckpointFolder(checkpoints) }
            if let data = reach.data { return CheckpointFolder(data + "/audit") }
            var read = EnvironmentReader(EnvironmentReader.process)
            return read.optional("SIGNALBOX_AUDIT_CHECKPOINTS").map { CheckpointFolder($0) }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How far the log is sealed, by whom, and whether anything is wrong."
        )

        @OptionGroup var outside: Outside
        @OptionGroup var reach: Reach

        func run() async throws {
            let folder = outside.folder(reach)
            let report = try await reach.audit { store, log in try await StatusReport(store, log, folder) }
            guard !reach.json else { return Terminal.say(try JSON.pretty(report)) }
            var table = Table("WHAT", "VALUE")
            for (what, value) in report.rows { table.add(what, value) }
            Terminal.say(table.text)
        }
    }

    struct Prove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "A proof that an event is in the log, or that the log only grew, to be checked by anybody, offline."
        )

        @Argument(help: "The position of the event.")
        var position: Int64?

        @Option(
            help: ArgumentHelp("Prove that the log only grew since a checkpoint of so many events.", valueName: "size")
        )
        var since: Int64?

        @Option(help: ArgumentHelp("Write the proof to this file.", valueName: "file"))
        var out: String?

        @OptionGroup var reach: Reach

        func validate() throws {
            guard (position == nil) != (since == nil) else {
                throw ValidationError("say either the position of an event or --since")
            }
            guard position ?? 1 > 0, since ?? 1 > 0 else {
                throw ValidationError("positions and sizes begin at 1")
            }
        }

        func run() async throws {
            if let position {
                try tell(
                    try await included(position),
                    as: "the proof of the event at \(position)",
                    ["position": position]
                )
            } else if let since {
                try tell(
                    try await grown(since),
                    as: "the proof that the log only grew since \(since)",
                    ["since": since]
                )
            }
        }

        private func included(_ position: Int64) async throws -> String {
            let (frontier, proof) = try await reach.audit { store, log in
                (try await log.frontier(), try await TransparencyLog(store: store, log: log).proof(at: position))
            }
            guard position <= frontier else {
                throw Exit.notFound("there is no event at \(position)")
            }
            guard let proof else { throw Exit.unavailable("no signed checkpoint covers position \(position) yet") }
            return proof.encoded
        }

        private func grown(_ size: Int64) async throws -> String {
            let proof = try await reach.audit { store, log in
                try await TransparencyLog(store: store, log: log).growth(since: size)
            }
            guard let proof else { throw Exit.notFound("the newest checkpoint has no \(size) events") }
            return proof.encoded
        }

        private func tell(_ proof: String, as name: String, _ question: [String: Int64]) throws {
            if let out { try Files.write(proof, to: out) }
            if reach.json {
                var answer = question.mapValues { JSONValue.integer($0) }
                answer["proof"] = .string(proof)
                Terminal.say(try JSON.pretty(answer))
            } else if let out {
                Terminal.say("\(name) is in \(out)")
            } else {
                Terminal.say(String(proof.dropLast()))
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the signed tree and the entries to a folder that can be checked without us.",
            discussion: "Payloads are not in it, only their hashes."
        )

        @Option(help: ArgumentHelp("Where to; what an earlier export wrote there is extended.", valueName: "dir"))
        var out: String

        @OptionGroup var reach: Reach

        func run() async throws {
            let out = out
            let progress = Progress("files")
            let checkpoint = try await reach.audit { store, log in
                try await LogFolder(out).write(TransparencyLog(store: store, log: log)) { done, all in
                    progress.show(Int64(done), of: Int64(all))
                }
            }
            progress.end()
            guard let checkpoint else { throw Exit.unavailable("nothing is sealed yet") }
            guard !reach.json else {
                return Terminal.say(
                    try JSON.pretty([
                        "origin": .string(checkpoint.origin), "size": .integer(checkpoint.size),
                        "root": JSONValue.string(checkpoint.root.description),
                    ])
                )
            }
            Terminal.say("\(checkpoint.size) events of \(checkpoint.origin) are in \(out)")
        }
    }

    struct Keygen: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key that signs checkpoints, in a file for us alone.",
            discussion: "To replace a key add the line of the new file to the old one; later take the old line away."
        )

        @Option(help: ArgumentHelp("The file, which must not exist.", valueName: "file"))
        var out: String

        @Option(help: "The root domain of the deployment; else APP_ROOT_DOMAIN.")
        var domain: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            var read = EnvironmentReader(EnvironmentReader.process)
            guard let domain = domain ?? read.optional("APP_ROOT_DOMAIN") else {
                throw Exit.usage("name the deployment with --domain or APP_ROOT_DOMAIN")
            }
            do throws(KeyFile.Failure) {
                let key = try KeyFile.make(out, for: Origin(domain: domain).base)
                Terminal.say(json ? #"{"vkey":"\#(key)"}"# : "\(key)")
            } catch {
                switch error.kind {
                case .exists: throw Exit.conflict(error.description)
                case .malformed: throw Exit.usage(error.description)
                case .unusable: throw Exit.failed(error.description)
                }
            }
        }
    }
}

extension Reach {
    /// Looks at the log and its tree, straight in the database: it works while the server is down.
    func audit<Value: Sendable>(
        _ ask: (AuditStore, PostgresLog) async throws -> Value
    ) async throws -> Value {
        let pool = Pool(conninfo: try database, size: 1, role: "signalbox_audit", applicationName: "signalbox-cli")
        let answer: Result<Value, any Error>
        do {
            let log = PostgresLog.reader(pool: pool, archive: archive)
            answer = .success(try await ask(AuditStore(pool: pool), log))
        } catch {
            answer = .failure(error)
        }
        await pool.close()
        do { return try answer.get() } catch { throw Exit.audit(error) }
    }
}

extension Exit {
    /// Turns what went wrong with an audit into words and a code.
    static func audit(_ error: any Error) -> any Error {
        switch error {
        case AuditError.unavailable(let reason): Exit.unavailable("the log cannot be read now: \(reason)")
        case AuditError.violated(let promise): Exit.failed(promise)
        case AuditError.refused(let refusal): Exit.failed(refusal.description)
        case AuditError.fenced: Exit.conflict("another process seals now")
        case let error as LogFolder.Failure: Exit.failed(error.description)
        case let error as NoteError: Exit.failed(error.description)
        default: because(error)
        }
    }
}

/// Files that commands read and write.
enum Files {
    static func read(_ path: String) throws -> [UInt8] {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw Exit.notFound("\(path) cannot be read")
        }
        return Array(data)
    }

    static func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw Exit.failed("\(path) cannot be written")
        }
    }

    /// The keys of a file with one on each line.
    static func keys(_ path: String) throws -> [VerifierKey] {
        let keys = VerifierKey.lines(String(decoding: try read(path), as: UTF8.self))
        guard !keys.isEmpty else { throw Exit.usage("\(path) has no verifier key") }
        return keys
    }
}
