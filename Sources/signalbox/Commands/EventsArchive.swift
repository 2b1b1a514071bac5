internal import ArgumentParser
internal import EventStore
internal import FoundationEssentials
internal import Kernel
internal import Postgres

extension EventsCommand {
    struct ArchiveEvents: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "archive",
            abstract: "Write whole partitions of the log to files, and take them out of the database if asked.",
            discussion: """
                Reads MIGRATION_DATABASE_URL, else DATABASE_URL: a login that may become signalbox_owner. Every server \
                must find the files where its SIGNALBOX_ARCHIVE says before --detach is used. A run that was \
                interrupted is completed by the next.
                """
        )

        @Option(help: "Partitions that end at or before this position.")
        var through: Int64?

        @Option(help: ArgumentHelp("Partitions whose last event is older, e.g. 90d or 36h.", valueName: "age"))
        var olderThan: Span?

        @OptionGroup var place: Place

        @Flag(help: "Take the partitions out of the log and drop them, once their files are proven.")
        var detach = false

        @Flag(help: "Take also what no checkpoint of the transparency log covers.")
        var unsealed = false

        @OptionGroup var reach: Reach

        func run() async throws {
            let extent: Archive.Extent
            switch (through, olderThan) {
            case (let position?, nil) where position >= 0: extent = .through(position)
            case (nil, let age?): extent = .olderThan(age.duration)
            default: throw Exit.usage("say one of --through and --older-than")
            }
            let segments = try await reach.archive(at: place.folder(reach), making: true) {
                archive throws(ArchiveError) in
                try await archive.archive(extent, detach: detach, unsealed: unsealed)
            }
            if segments.isEmpty, !reach.json { return Terminal.say("no partition lies in that whole") }
            try Segments.show(segments, json: reach.json)
        }
    }

    struct Purge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take what was erased out of the archive's files; readers see it as erased before that too."
        )

        @OptionGroup var place: Place

        @OptionGroup var reach: Reach

        func run() async throws {
            let purged = try await reach.archive(at: place.folder(reach)) { archive throws(ArchiveError) in
                try await archive.purge()
            }
            guard !reach.json else { return Terminal.say(try JSON.pretty(["purged": purged])) }
            Terminal.say("\(purged) payloads taken out")
        }
    }

    struct Segments: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The files of the archive, and whether they are right."
        )

        @Flag(help: "Read every file and prove it: SHA-256, every leaf, every payload, its index.")
        var check = false

        @OptionGroup var place: Place

        @OptionGroup var reach: Reach

        func run() async throws {
            let segments = try await reach.archive(at: check ? place.folder(reach) : "") {
                archive throws(ArchiveError) in
                let segments = try await archive.segments()
                if check { for segment in segments { try await archive.check(segment) } }
                return segments
            }
            try Self.show(segments, json: reach.json)
            if check, !reach.json { Terminal.say("all of them are right") }
        }

        static func show(_ segments: [Segment], json: Bool) throws {
            guard !json else { return Terminal.say(try JSON.pretty(segments.map(View.init))) }
            var table = Table("FIRST", "LAST", "STATE", "BYTES", "WRITTEN", "FILE")
            for segment in segments {
                table.add(
                    "\(segment.first)",
                    "\(segment.last)",
                    segment.state.rawValue,
                    "\(segment.size)",
                    "\(segment.writtenAt)",
                    segment.file
                )
            }
            Terminal.say(table.text)
        }
    }

    /// Where the archive's files are.
    struct Place: ParsableArguments {
        @Option(help: ArgumentHelp("The folder of all its files; else SIGNALBOX_ARCHIVE.", valueName: "dir"))
        var to: String?

        func folder(_ reach: Reach) throws -> String {
            guard let folder = to ?? reach.archive else { throw Exit.usage("name the archive's folder with --to") }
            return folder
        }
    }

    /// A segment as JSON.
    private struct View: Encodable {
        var first: Int64
        var last: Int64
        var state: String
        var bytes: Int64
        var sha256: String
        var writtenAt: Timestamp
        var file: String

        init(_ segment: Segment) {
            first = segment.first
            last = segment.last
            state = segment.state.rawValue
            bytes = segment.size
            sha256 = segment.sha256.map(Hex.text).joined()
            writtenAt = segment.writtenAt
            file = segment.file
        }
    }
}

/// A length of time as people write it: `90d`, `36h`, `15m`, `30s`.
struct Span: ExpressibleByArgument, Equatable {
    let duration: Duration

    init?(argument: String) {
        let units: [Character: Int64] = ["d": 86_400, "h": 3600, "m": 60, "s": 1]
        guard let unit = argument.last.flatMap({ units[$0] }), let count = Int64(argument.dropLast()),
            0...1_000_000 ~= count
        else { return nil }
        duration = .seconds(count * unit)
    }
}

extension Reach {
    /// Works on the archive as the log's owner, straight in the database.
    ///
    /// - Parameters:
    ///   - folder: Where its files are; it must exist unless it is made. Empty for who needs no file.
    ///   - making: Whether to make the folder when it is not there.
    ///   - work: What is done.
    /// - Returns: What `work` returns.
    /// - Throws: An exit.
    func archive<Value: Sendable>(
        at folder: String,
        making: Bool = false,
        _ work: (Archive) async throws(ArchiveError) -> Value
    ) async throws -> Value {
        if making {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
            } catch { throw Exit.failed("\(folder) cannot be made") }
        } else if !folder.isEmpty {
            var isFolder = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder else {
                throw Exit.notFound("there is no folder \(folder)")
            }
        }
        let url = try owner
        let connection: Connection
        do throws(PostgresError) {
            connection = try await Connection.open(
                url,
                role: "signalbox_owner",
                applicationName: "signalbox-archive",
                limits: SessionLimits(statement: nil, idleInTransaction: nil)
            )
        } catch { throw Exit.because(error) }
        let outcome: Result<Value, ArchiveError>
        do throws(ArchiveError) {
            outcome = .success(try await work(Archive(connection: connection, folder: folder)))
        } catch { outcome = .failure(error) }
        await connection.close()
        do throws(ArchiveError) { return try outcome.get() } catch {
            switch error {
            case .refused(let why): throw Exit.conflict(why)
            case .file(let error): throw Exit.failed(error.description)
            case .database(let error): throw Exit.because(error)
            }
        }
    }
}
