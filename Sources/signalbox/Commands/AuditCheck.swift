internal import ArgumentParser
internal import Audit
internal import Kernel

extension AuditCommand {
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compute every leaf and the whole tree again, and hold them against what was signed.",
            discussion: """
                With a key that you had before (--vkey) the answer is "authentic"; without one it is "consistent", and \
                says which key it took. Ends with 1 at the first difference.
                """
        )

        @Option(
            help: ArgumentHelp("Check a folder that `audit export` wrote instead of the live log.", valueName: "dir")
        )
        var from: String?

        @Option(help: ArgumentHelp("A file with the keys to trust, one on each line.", valueName: "file"))
        var vkey: String?

        @OptionGroup var outside: Outside
        @OptionGroup var reach: Reach

        func run() async throws {
            let pinned = try vkey.map { try Files.keys($0) }
            let progress = Progress("events")
            let report: AuditReport
            if let from {
                guard LogFolder(from).exists else { throw Exit.notFound("\(from) has no checkpoint") }
                do throws(AuditError) {
                    report = try await LogFolder(from).audit(trusting: pinned) { progress.show($0, of: $1) }
                } catch {
                    throw Exit.audit(error)
                }
            } else {
                let folder = outside.folder(reach)
                report = try await reach.audit { store, log in
                    try await LogAudit(store: store, log: log, folder: folder).run(trusting: pinned) {
                        progress.show($0, of: $1)
                    }
                }
            }
            progress.end()
            if reach.json { Terminal.say(try JSON.pretty(report)) }
            if let difference = report.difference { throw Exit.failed(at(report.position) + difference) }
            if !reach.json { Terminal.say(words(report)) }
        }

        private func at(_ position: Int64?) -> String {
            position.map { "position \($0): " } ?? ""
        }

        private func words(_ report: AuditReport) -> String {
            var text = report.trust.rawValue
            if let origin = report.origin, let root = report.root {
                text += ": \(report.size) events of \(origin), signed by \(report.keys.joined(separator: ", "))"
                text += "\nroot \(root)"
            } else {
                text += ": no checkpoint was signed yet"
            }
            if report.erased > 0 { text += "\n\(report.erased) payloads were erased; their hashes still prove them" }
            if report.unsealed > 0 { text += "\n\(report.unsealed) more events are not sealed yet" }
            return text
        }
    }

    struct CheckProof: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check-proof",
            abstract: "Check a proof of one event, offline."
        )

        @Argument(help: "The file with the proof.")
        var file: String

        @Option(help: ArgumentHelp("A file with the keys to trust, one on each line.", valueName: "file"))
        var vkey: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let keys = try Files.keys(vkey)
            let bytes = try Files.read(file)
            do throws(NoteError) {
                let proof = try LogProof(bytes)
                guard let extra = proof.extra, let entry = LeafEntry(extra), entry.position == proof.index + 1 else {
                    throw .malformed("the proof does not carry the entry of the event that it proves")
                }
                let checkpoint = try proof.check(.leaf(extra), trusting: keys)
                say(entry, checkpoint)
            } catch {
                throw Exit.failed("the proof is not accepted: \(error)")
            }
        }

        private func say(_ entry: LeafEntry, _ checkpoint: Checkpoint) {
            let members: [(String, JSONValue)] = [
                ("position", .integer(entry.position)), ("id", .string("\(entry.event)")),
                ("stream", .string(entry.stream)), ("version", .integer(entry.version)), ("type", .string(entry.type)),
                ("recordedAt", .string("\(entry.recordedAt)")), ("actor", .string(entry.actor)),
                ("payloadHash", .string(Hex.text(entry.payloadHash))), ("origin", .string(checkpoint.origin)),
                ("size", .integer(checkpoint.size)),
            ]
            if json {
                // Texts and numbers can always be encoded.
                let text = try? JSON.pretty(JSONValue.object(Dictionary(uniqueKeysWithValues: members)))
                return Terminal.say(text ?? "{}")
            }
            Terminal.say("the proof holds")
            var table = Table("WHAT", "VALUE")
            for (name, value) in members { table.add(name, value.string ?? value.integer.map(String.init) ?? "") }
            Terminal.say(table.text)
        }
    }
}
