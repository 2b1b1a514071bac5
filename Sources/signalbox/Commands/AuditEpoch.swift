internal import ArgumentParser
internal import Audit
internal import Domain
internal import EventStore
internal import Kernel
internal import Postgres

extension AuditCommand {
    struct NewEpoch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new-epoch",
            abstract: "Sign the log anew after a restore that lost what had been signed.",
            discussion: """
                Reads MIGRATION_DATABASE_URL, else DATABASE_URL: a login that may become signalbox_owner. The tree is \
                made again from the events as they are, under a new name; the reason and the last checkpoint become an \
                event. Whoever has checkpoints of the old name can prove what was lost: find out why first.
                """
        )

        @Option(help: "Why, for everybody to read.")
        var reason: String

        @Flag(help: "Begin a new epoch although nothing keeps the present one from being signed.")
        var force = false

        @OptionGroup var outside: Outside
        @OptionGroup var reach: Reach

        func run() async throws {
            guard !reason.isEmpty, reason.count <= 500 else { throw Exit.usage("--reason has 1 to 500 characters") }
            let folder = outside.folder(reach)
            var read = EnvironmentReader(EnvironmentReader.process)
            let url = try reach.data == nil ? read.optional("MIGRATION_DATABASE_URL") ?? reach.database : reach.database
            let pool = Pool(conninfo: url, size: 1, role: "signalbox_owner", applicationName: "signalbox-cli")
            let outcome: Result<TreeHead, any Error>
            do { outcome = .success(try await begin(pool, folder)) } catch { outcome = .failure(error) }
            await pool.close()
            let begun: TreeHead
            do { begun = try outcome.get() } catch { throw Exit.audit(error) }
            guard !reach.json else { return Terminal.say(try JSON.pretty(["epoch": begun.epoch])) }
            Terminal.say("epoch \(begun.epoch) has begun; it is signed within seconds while a server runs")
        }

        /// - Returns: The new epoch.
        private func begin(_ pool: Pool, _ folder: CheckpointFolder?) async throws -> TreeHead {
            let store = AuditStore(pool: pool)
            let head = try await store.head()
            let kept = try folder?.newest()
            let origin = kept.map { Origin(named: $0.origin) }
            if !force { try await requireIncident(store, head, folder, origin) }
            let keptEpoch = kept.flatMap { origin?.epoch(of: $0.origin) } ?? 0
            let epoch = max(head.epoch, keptEpoch) + 1
            let fact = PlatformEvent.auditEpochStarted(
                .init(
                    epoch: epoch,
                    reason: reason,
                    knownSize: head.size,
                    knownRoot: head.size > 0 ? head.root.base64 : nil,
                    keptCheckpoint: try folder?.newestNote()?.encoded
                )
            )
            let ids = IDSource.system
            let event = NewEvent(
                id: ids.unique(),
                type: fact.name.rawValue,
                schemaVersion: fact.schemaVersion,
                payload: try fact.payload()
            )
            guard let stream = StreamName(PlatformEvent.auditStream) else {
                throw Exit.failed("\(PlatformEvent.auditStream) is not a stream")
            }
            let request = AppendRequest(
                causation: Causation(actor: "system", command: ids.unique()),
                writes: [StreamWrite(stream, expecting: .any, events: [event])]
            )
            guard try await PostgresIncarnation(pool: pool).begin(epoch, recording: request) != nil else {
                throw Exit.conflict("somebody else has begun epoch \(epoch)")
            }
            return TreeHead(epoch: epoch)
        }

        /// An epoch that can go on is not ended by mistake.
        private func requireIncident(
            _ store: AuditStore,
            _ head: TreeHead,
            _ folder: CheckpointFolder?,
            _ origin: Origin?
        ) async throws {
            guard let folder else {
                throw Exit.usage("name the folder of the newest checkpoint with --checkpoints, or give --force")
            }
            do throws(AuditError) {
                _ = try await store.edge(of: head)
                let signed = try await store.head(signed: true)
                if let origin { try await folder.compare(head, of: store.tiles, origin: origin) }
                // Without a kept checkpoint the published one says what the log is called.
                if let name = origin ?? signed.origin { try folder.requireKept(signed, origin: name) }
            } catch {
                guard case .refused = error else { throw error }
                return
            }
            throw Exit.conflict("nothing keeps epoch \(head.epoch) from being signed; --force begins another anyway")
        }
    }
}
