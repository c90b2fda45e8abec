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
