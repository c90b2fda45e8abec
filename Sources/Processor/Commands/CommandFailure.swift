import AMQP
import Core
import Postgres

/// How `processor` ends (docs/contract.md#exit-codes). The names of sysexits.h where there is one.
enum ExitStatus: Int32, CaseIterable, Sendable {
    case done = 0
    /// Done with differences or failures, or what was asked for does not exist.
    case differences = 1
    case usage = 64
    /// Broker, database or port cannot be used.
    case unavailable = 69
    case `internal` = 70
    case configuration = 78
}

/// Ends a command with lines on standard error and an exit code.
struct CommandFailure: Error, Hashable, Sendable {
    let status: ExitStatus
    /// One line each.
    let lines: [String]

    init(_ status: ExitStatus, _ lines: String...) {
        self.init(status, lines)
    }

    init(_ status: ExitStatus, _ lines: [String]) {
        self.status = status
        self.lines = lines
    }
}

extension CommandFailure {
    /// What an operator is told about an error, and the exit code that goes with it; `nil` for the errors of the
    /// argument parser.
    init?(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as ConfigurationError: self.init(.configuration, error.problems)
        case let error as StoreError: self.init(error)
        case let error as LedgerReport.Failure: self.init(error)
        case let error as MigrationError: self.init(error)
        case let error as TopologyError: self.init(error)
        case let error as AdminServerError: self.init(.unavailable, error.description)
        case let error as PostgresError: self.init(error)
        case let error as AMQPError: self.init(Self.status(of: error), "broker: \(error)")
        default: return nil
        }
    }

    init(_ error: StoreError) {
        switch error.code {
        case .unavailable where error.isAnswered:
            self.init(.unavailable, "the database is there, but could not do it now (\(error.detail)); try again")
        case .unavailable:
            self.init(.unavailable, "the database cannot be reached (\(error.detail)); see database.url (DATABASE_URL)")
        case .refused, .unreadable, .bankIDTaken:
            self.init(.internal, "the database does not answer as expected: \(error); was `processor migrate` run?")
        }
    }

    private init(_ error: PostgresError) {
        let way = error.code == .connectFailed ? "; see database.url (DATABASE_URL)" : ""
        self.init(Self.status(of: error), "database: \(error)\(way)")
    }

    private init(_ error: LedgerReport.Failure) {
        switch error {
        case .store(let cause): self.init(cause)
        case .bankUnreachable(let cause): self.init(bankUnreachable: cause)
        }
    }

    /// - Parameter cause: a code.
    init(bankUnreachable cause: String) {
        self.init(.unavailable, "the bank cannot be reached (\(cause)); see bank.url (BANK_URL)")
    }

    private init(_ error: MigrationError) {
        switch error {
        case .database(let cause) where cause.code == .connectFailed: self.init(cause)
        case .database(let cause): self.init(Self.status(of: cause), "database: \(error)")
        case .edited: self.init(.differences, error.description)
        case .newer, .outdated, .notAllowed, .inUse: self.init(.configuration, error.description)
        }
    }

    private init(_ error: TopologyError) {
        if case .broker(let cause) = error {
            self.init(Self.status(of: cause), "broker: \(cause)")
        } else {
            self.init(.differences, error.description)
        }
    }

    private static func status(of error: PostgresError) -> ExitStatus {
        switch error.code {
        case .invalidConfiguration: .configuration
        case .connectFailed, .connectionLost, .waitTimedOut: .unavailable
        default: .internal
        }
    }

    private static func status(of error: AMQPError) -> ExitStatus {
        switch error.code {
        case .invalidConfiguration: .configuration
        case .connectFailed, .authenticationFailed, .tlsFailed, .vhostRefused, .connectionLost,
            .connectionClosedByBroker, .heartbeatMissed, .timeout:
            .unavailable
        default: .internal
        }
    }
}
