internal import ArgumentParser
internal import Commands
internal import EventStore
internal import Postgres

/// How a command ends when it does not succeed.
///
/// Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 unavailable.
enum Exit: Int32, Error {
    case failed = 1
    case usage = 2
    case notFound = 3
    case conflict = 4
    case unavailable = 5

    /// Says why on standard error and ends with this code.
    func callAsFunction(_ message: String) -> any Error {
        Terminal.complain("signalbox: \(message)")
        return ExitCode(rawValue)
    }

    /// Turns what went wrong into words and a code.
    static func because(_ error: any Error) -> any Error {
        switch error {
        case is ExitCode, is CleanExit, is ValidationError: error
        case let error as ConfigurationError: Exit.usage(error.description)
        case let error as DevFailure: Exit.failed(error.description)
        case let error as PostgresError where [.unreachable, .lost, .busy].contains(error.kind):
            Exit.unavailable(error.description)
        case let error as PostgresError: Exit.failed(error.description)
        case LogError.unavailable(let why): Exit.unavailable("the log cannot be read now: \(why)")
        case let error as LogError: Exit.failed("\(error)")
        default: Exit.failed("\(error)")
        }
    }
}
