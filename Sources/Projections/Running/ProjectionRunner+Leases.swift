internal import EventStore
internal import Kernel
internal import Logging
internal import Postgres

extension ProjectionRunner {
    /// Holds on to the slices of this process, all at once, until the task is cancelled.
    ///
    /// Nothing else is done here: what takes long elsewhere must not cost every lease.
    func keepLeases() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: settings.lease / 3)
                holdings.drop(try await work.renew(holdings.items, lease: settings.lease))
            } catch {
                // Whether a lease still holds is for the fence to say.
                logger.debug("leases of projections are not renewed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Leaves others their share, and takes its own, until the task is cancelled.
    func keepSharing() async {
        while !Task.isCancelled {
            do {
                // Often: until all have looked, nobody feeds what a new build, or one that died, leaves over.
                try await Task.sleep(for: min(settings.lease / 3, settings.patrol * 2))
                try await share()
            } catch {
                logger.debug("the slices of projections are not shared", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Sees what there is to be fed and by how many, and lets go of what is not this process's.
    func share() async throws(PostgresError) {
        let held = holdings.builds
        let builds = try await attend()
        // The work of builds that are gone ends before anything is counted.
        let gone = holdings.items(except: builds, among: held)
        holdings.drop(gone)
        for item in gone {
            // It is tried again by whoever claims it next.
            try? await update(item, "superseded")
        }
        let excess = holdings.excess
        holdings.drop(excess)
        for item in excess {
            // A lease that is not given back runs out by itself.
            try? await work.release(item)
        }
        if !holdings.room.isEmpty { prompt.ring() }
    }

    /// Tells what this process feeds, and sees how many others feed the same: of each kind it takes an equal share.
    ///
    /// - Returns: The builds that there are.
    /// - Throws: ``PostgresError``.
    func attend() async throws(PostgresError) -> Set<Build> {
        let (owner, lease) = (owner, settings.lease)
        let kinds = projections.map { $0.workKind }
        let (shares, builds) = try await pool.with { connection throws(PostgresError) in
            let shares = try connection.run(
                """
                WITH mine AS (
                    INSERT INTO rm.feeder (owner, kind, seen_at)
                    SELECT \(owner), k.kind, clock_timestamp() FROM unnest(\(array: kinds)) AS k (kind)
                    ON CONFLICT (owner, kind) DO UPDATE SET seen_at = excluded.seen_at
                     WHERE feeder.seen_at
                           < excluded.seen_at - \(lease.microseconds / 3) * interval '1 microsecond'
                )
                SELECT k.kind,
                       1 + (SELECT count(*) FROM rm.feeder AS f
                             WHERE f.kind = k.kind AND f.owner <> \(owner)
                               AND f.seen_at > clock_timestamp() - \(lease.microseconds) * interval '1 microsecond'),
                       (SELECT count(*)
                          FROM rm.checkpoint AS c
                          LEFT JOIN rm.rebuild AS r USING (name, shape, build)
                         WHERE 'projection.' || c.name || '.v' || c.shape = k.kind
                           AND (r.build IS NULL OR r.phase IN ('done', 'ready', 'unequal')))
                  FROM unnest(\(array: kinds)) AS k (kind)
                """
            ).all(String.self, Int.self, Int.self)
            let builds = try connection.run("SELECT name, shape, build FROM rm.build").all(
                String.self,
                Int.self,
                Int.self
            )
            return (
                Dictionary(shares.map { ($0.0, ($0.2 + $0.1 - 1) / $0.1) }) { first, _ in first },
                Set(builds.map { Build(name: $0.0, shape: $0.1, number: $0.2) })
            )
        }
        holdings.shares = shares
        return builds
    }

    /// Gives everything back, so that a successor need not wait.
    func giveBack() async {
        for item in holdings.items {
            // A lease that is not given back runs out by itself.
            try? await work.release(item)
        }
        let owner = owner
        try? await pool.with(evenIfCancelled: true) { connection throws(PostgresError) in
            _ = try connection.run(
                "DELETE FROM rm.feeder WHERE owner = \(owner) OR seen_at < clock_timestamp() - interval '1 hour'"
            )
        }
    }
}
