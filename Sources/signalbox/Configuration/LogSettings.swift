internal import Logging

/// What log lines look like, and which of them are written.
struct LogSettings: Equatable {
    /// One line of words, or one JSON object, for each event.
    enum Format: String, CaseIterable {
        case text, json
    }

    var format: Format
    var level: Logger.Level

    init(_ read: inout EnvironmentReader) {
        format = read.choice("SIGNALBOX_LOG_FORMAT", default: Format.text)
        level = read.choice("SIGNALBOX_LOG_LEVEL", "LOG_LEVEL", default: Logger.Level.info)
    }

    /// The settings of a development machine, as this environment has them.
    ///
    /// - Throws: ``ConfigurationError`` when it says something else.
    init(environment: [String: String]) throws(ConfigurationError) {
        var read = EnvironmentReader(environment)
        self.init(&read)
        guard read.problems.isEmpty else { throw ConfigurationError(problems: read.problems) }
    }
}
