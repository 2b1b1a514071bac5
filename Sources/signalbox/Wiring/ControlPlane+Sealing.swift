internal import Audit
internal import EventStore
internal import Logging
internal import Platform
internal import Postgres
internal import Server

extension ControlPlane {
    /// What seals the log, when the settings have a key.
    ///
    /// - Throws: ``ConfigurationError``.
    static func sealer(
        _ settings: Settings,
        pool: Pool,
        log: PostgresLog,
        queue: any WorkQueue,
        owner: String,
        logger: Logger
    ) throws(ConfigurationError) -> SealerRunner? {
        guard let audit = settings.audit else {
            logger.warning("the log is not sealed: SIGNALBOX_AUDIT_KEY is not set")
            return nil
        }
        let origin = Origin(domain: settings.names.rootDomain)
        return SealerRunner(
            sealer: Sealer(
                store: AuditStore(pool: pool),
                log: log,
                folder: CheckpointFolder(audit.checkpoints),
                origin: origin,
                archive: log,
                keys: try audit.keys(of: origin)
            ),
            log: log,
            work: queue,
            owner: owner,
            logger: logger
        )
    }

    /// A log that cannot be sealed any more is something that a person has to look at before more is written to it.
    static func checks(_ sealing: SealerState?) -> [PlaneDoor.Check] {
        sealing.map { [.init("audit", problem: $0.problem)] } ?? []
    }
}
