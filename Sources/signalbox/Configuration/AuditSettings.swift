internal import Audit
internal import Glibc

/// How the log is sealed; without a key it is not.
struct AuditSettings {
    /// The file with the keys that sign checkpoints.
    var key: String
    /// The folder where the newest checkpoint is kept outside of the database.
    var checkpoints: String

    /// Reads both or neither.
    init?(_ read: inout EnvironmentReader) {
        let key = read.optional("SIGNALBOX_AUDIT_KEY", as: "path")
        let checkpoints = read.optional("SIGNALBOX_AUDIT_CHECKPOINTS", as: "path")
        guard key != nil || checkpoints != nil else { return nil }
        guard let key, let checkpoints else {
            let missing = key == nil ? "SIGNALBOX_AUDIT_KEY" : "SIGNALBOX_AUDIT_CHECKPOINTS"
            read.complain("\(missing) is missing: the log is sealed with a key file and a folder for checkpoints")
            return nil
        }
        var status = stat()
        // A folder that is made by itself would hide that a disk is not there.
        if stat(checkpoints, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR {
            read.complain("SIGNALBOX_AUDIT_CHECKPOINTS must name a folder: \(checkpoints)")
        }
        self.key = key
        self.checkpoints = checkpoints
    }

    /// The keys, once they are those of this log.
    ///
    /// - Throws: ``ConfigurationError``.
    func keys(of origin: Origin) throws(ConfigurationError) -> [SigningKey] {
        do throws(KeyFile.Failure) {
            return try KeyFile(key, origin: origin).keys
        } catch {
            throw ConfigurationError(problems: ["SIGNALBOX_AUDIT_KEY is not usable: \(error)"])
        }
    }
}
