internal import FoundationEssentials
internal import Glibc

/// The file with the keys that sign checkpoints: a line `PRIVATE+KEY+…` for each.
///
/// All of them sign, so that a new key can be introduced beside the old one before that is taken away.
package struct KeyFile: Sendable {
    /// Why the keys cannot be used; never shows them.
    package struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// What is to blame.
        package enum Kind: Sendable {
            /// The file, or what is in it.
            case unusable
            /// The file, which is there already.
            case exists
            /// The name that the key was to have.
            case malformed
        }

        package let description: String
        package var kind = Kind.unusable
    }

    /// At least one, in the order of the file.
    package let keys: [SigningKey]

    /// Reads the keys of a log.
    ///
    /// - Parameters:
    ///   - path: Readable for us alone, or a credential that systemd gave us.
    ///   - origin: What the log is called in its first epoch; the keys must have that name.
    /// - Throws: ``Failure``.
    package init(_ path: String, origin: Origin) throws(Failure) {
        try self.init(path)
        for key in keys where key.verifier.name != origin.base {
            throw Failure(
                description: "\(path) has a key of \(key.verifier.name), and this log is called \(origin.base)"
            )
        }
    }

    /// Reads the keys of any log.
    ///
    /// - Parameters:
    ///   - path: Readable for us alone, or a credential that systemd gave us.
    ///   - credentials: The folder of those; where the environment says when it is not said.
    /// - Throws: ``Failure``.
    package init(_ path: String, credentials: String? = nil) throws(Failure) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Failure(description: "\(path) cannot be read") }
        // Credentials belong to root, and an access list lets the service read them (systemd.exec(5)).
        let folder = credentials ?? getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) }
        let credentials = folder.map { $0 + "/" }
        let isCredential = credentials.map { path.hasPrefix($0) } ?? false
        guard status.st_mode & (isCredential ? 0o037 : 0o077) == 0 else {
            throw Failure(description: "\(path) may be read by others: chmod 600 \(path)")
        }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw Failure(description: "\(path) cannot be read")
        }
        var keys: [SigningKey] = []
        for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
            do throws(NoteError) {
                keys.append(try SigningKey(String(line)))
            } catch {
                throw Failure(description: "\(path): \(error)")
            }
        }
        guard !keys.isEmpty else { throw Failure(description: "\(path) has no key") }
        self.keys = keys
    }

    /// Makes a key, and a file that has it alone.
    ///
    /// - Parameters:
    ///   - path: Of a file that does not exist; it becomes readable for us alone.
    ///   - name: The origin of the log.
    /// - Returns: The public half.
    /// - Throws: ``Failure``.
    package static func make(_ path: String, for name: String) throws(Failure) -> VerifierKey {
        let key: SigningKey
        do throws(NoteError) { key = try SigningKey(generatedFor: name) } catch {
            throw Failure(description: "\(name) cannot be the name of a key: \(error)", kind: .malformed)
        }
        let handle = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard handle >= 0 else {
            guard errno == EEXIST else { throw Failure(description: "\(path) cannot be written") }
            throw Failure(description: "\(path) exists", kind: .exists)
        }
        let bytes = Array((key.text + "\n").utf8)
        let written = write(handle, bytes, bytes.count) == bytes.count && fsync(handle) == 0
        close(handle)
        guard written else { throw Failure(description: "\(path) cannot be written") }
        return key.verifier
    }
}
