internal import ArgumentParser
internal import Audit
internal import Glibc
internal import Kernel

extension OrganizationCommand {
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Everything of an organization in one archive, with the proofs of its events.",
            discussion: "For its owners and auditors. A file that is there is not written over."
        )

        @Argument(help: "Its id.")
        var id: String

        @Option(help: ArgumentHelp("The archive to write.", valueName: "file"))
        var out: String

        @OptionGroup var reach: Reach

        func run() async throws {
            guard Identifier<OrganizationSubject>(id) != nil else {
                throw Exit.usage("\(id) is not an organization id")
            }
            let (url, key) = try reach.api()
            let client = APIClient(url: url, key: key)
            guard let file = fopen(out, "wxe") else {
                throw Exit.failed("\(out) cannot be written\(errno == EEXIST ? ": it is there already" : "")")
            }
            var isWhole = false
            defer {
                fclose(file)
                if !isWhole { unlink(out) }
            }
            var count = 0
            try await client.download("/v1/organizations/\(id)/export") { bytes in
                guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
                    throw Exit.failed("\(out) cannot be written")
                }
                count += bytes.count
            }
            guard fflush(file) == 0, fsync(fileno(file)) == 0 else { throw Exit.failed("\(out) cannot be written") }
            isWhole = true
            let answer: JSONValue = ["file": .string(out), "bytes": .integer(Int64(count))]
            Terminal.say(reach.json ? try JSON.pretty(answer) : "\(count) bytes in \(out)")
        }
    }

    struct CheckExport: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check-export",
            abstract: "Hold an export against the proofs that are in it, offline.",
            discussion: """
                With keys that you had before (--vkey) the answer is "authentic"; without them it is "consistent". Ends \
                with 1 at the first thing that does not hold. Whether events were left out is not proven by it.
                """
        )

        @Argument(help: "The archive.")
        var file: String

        @Option(help: ArgumentHelp("A file with the keys to trust, one on each line.", valueName: "file"))
        var vkey: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let pinned = try vkey.map { try Files.keys($0) }
            guard let handle = fopen(file, "re") else { throw Exit.notFound("\(file) cannot be read") }
            defer { fclose(handle) }
            let report: ExportCheck.Report
            do {
                report = try Self.check(ExportCheck(trusting: pinned)) { count in
                    [UInt8](unsafeUninitializedCapacity: count) { buffer, read in
                        read = buffer.baseAddress.map { fread($0, 1, count, handle) } ?? 0
                    }
                }
            } catch let error as ExportCheck.Failure {
                throw Exit.failed("the export is not accepted: \(error)")
            } catch let error as Tar.Failure {
                throw Exit.failed("the export is not accepted: \(error)")
            }
            if json { return Terminal.say(try JSON.pretty(report)) }
            Terminal.say("\(report.trust): \(report.events) events of organization \(report.organizationId)")
            if report.unproven > 0 { Terminal.say("\(report.unproven) of them were not sealed yet") }
            if report.erased > 0 {
                Terminal.say("\(report.erased) payloads were erased; their hashes still prove them")
            }
            Terminal.say("signed by \(report.keys.joined(separator: ", "))")
        }

        private static func check(
            _ check: consuming ExportCheck,
            _ read: (Int) throws -> [UInt8]
        ) throws -> ExportCheck.Report {
            while let (name, bytes) = try Tar.next(read) { try check.take(name, bytes) }
            return try check.finish()
        }
    }
}
