internal import Glibc
internal import Kernel
internal import Logging

/// Writes log events as lines, without the secrets that may be in them.
struct LogLines: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogSettings.Format
    private let redact: Redaction
    private let now: @Sendable () -> Timestamp
    private let write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - label: Whose events they are.
    ///   - settings: What lines look like, and which are written.
    ///   - redact: Takes out what nobody may read.
    ///   - now: The clock.
    ///   - write: Takes whole lines, with their line break.
    init(
        label: String,
        settings: LogSettings,
        redact: Redaction,
        now: @escaping @Sendable () -> Timestamp = IDSource.system.now,
        write: @escaping @Sendable (String) -> Void = LogLines.toStandardError
    ) {
        self.label = label
        self.logLevel = settings.level
        self.format = settings.format
        self.redact = redact
        self.now = now
        self.write = write
    }

    /// Makes this the way of every logger of the process that is made from now on.
    ///
    /// The library takes a way once in the life of a process.
    static func install(_ settings: LogSettings, redacting secrets: [String] = []) {
        let redact = Redaction(secrets)
        LoggingSystem.bootstrap { LogLines(label: $0, settings: settings, redact: redact) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { all["error"] = all["error"] ?? .string("\(error)") }
        let message = redact(event.message.description)
        let fields = all.reduce(into: [:]) { fields, entry in fields[entry.key] = value(entry.value, of: entry.key) }
        switch format {
        case .json:
            var line: [String: JSONValue] = [
                "time": .string(now().description), "level": .string(event.level.rawValue), "logger": .string(label),
                "message": .string(message),
            ]
            if !fields.isEmpty { line["fields"] = .object(fields) }
            write(Self.json(.object(line)) + "\n")
        case .text:
            let words = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.word($0.value))" }.joined()
            write("\(now()) \(event.level) \(label):\(words) \(Self.oneLine(message))\n")
        }
    }

    private func value(_ value: Logger.Metadata.Value, of name: String) -> JSONValue {
        if Redaction.isSecret(name: name) { return .string(Redaction.mark) }
        return switch value {
        case .string(let text): .string(redact(text))
        case .stringConvertible(let convertible): .string(redact(convertible.description))
        case .array(let values): .array(values.map { self.value($0, of: name) })
        case .dictionary(let entries):
            .object(entries.reduce(into: [:]) { $0[$1.key] = self.value($1.value, of: $1.key) })
        }
    }

    private static func word(_ value: JSONValue) -> String {
        if case .string(let text) = value { return oneLine(text) }
        return json(value)
    }

    private static func json(_ value: JSONValue) -> String {
        // Text, numbers and lists of them can always be written.
        (try? JSON.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// Who writes a line break into a message must not write a line of the log.
    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else { return text }
        return text.unicodeScalars.reduce(into: "") { line, scalar in
            switch scalar {
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    line += "?"
                } else {
                    line.unicodeScalars.append(scalar)
                }
            }
        }
    }

    /// One call for each line, so that lines of several threads and processes do not mix.
    private static let toStandardError: @Sendable (String) -> Void = { line in
        var rest = Array(line.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // Nobody reads any more; there is no one to tell.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
