import PaymentCommands

/// Why there is no outcome to report: for a person one line each, with the way out, and for a program the exit status.
///
/// The lines never hold card data, nor credentials.
struct Failure: Error, Equatable {
    let status: PublisherStatus
    let lines: [String]
    /// Printed first, as they are: `FILE:LINE: what`.
    let details: [String]
    /// Whether the same may succeed a little later, with nothing else changed.
    let isPassing: Bool

    init(_ status: PublisherStatus, _ lines: [String], details: [String] = [], isPassing: Bool = false) {
        self.status = status
        self.lines = lines
        self.details = details
        self.isPassing = isPassing
    }

    init(_ status: PublisherStatus, _ line: String, details: [String] = [], isPassing: Bool = false) {
        self.init(status, [line], details: details, isPassing: isPassing)
    }

    /// Prints it on standard error, and gives the status to end with.
    func report() -> PublisherStatus {
        for detail in details { StandardError.write(detail + "\n") }
        for line in lines { StandardError.line(line) }
        return status
    }
}

extension Failure {
    /// - Parameter wayOut: what to do where the command may have taken effect.
    init(_ error: PaymentClientError, wayOut: String? = nil) {
        let status: PublisherStatus =
            switch error.code {
            case .configuration: .configuration
            case .invalidCommand: .usage
            case .unavailable, .refused: .unavailable
            case .unconfirmed, .noReply, .connectionLost: .unknown
            }
        let advice = error.mayHaveTakenEffect ? wayOut : error.refusal.map(Self.wayIn)
        self.init(
            status,
            advice.map { "\(error); \($0)" } ?? error.description,
            isPassing: error.isPassing
        )
    }

    private static func wayIn(_ refusal: PaymentClientError.Refusal) -> String {
        switch refusal {
        case .credentials: "check the user and the password of amqp.url"
        case .virtualHost: "check the virtual host of amqp.url"
        case .certificate: "check the broker's certificate, and whether amqp.url means amqp:// or amqps://"
        case .other: "start the broker, or name another with --amqp-url or AMQP_URL"
        }
    }
}

/// How the process ends (docs/contract.md#exit-codes).
enum PublisherStatus: Int32, CaseIterable, Comparable {
    case succeeded = 0
    case declined = 2
    case rejected = 3
    /// Not known yet what the bank did, or no reply in time.
    case unknown = 4
    /// EX_USAGE.
    case usage = 64
    /// EX_UNAVAILABLE: the broker cannot be used.
    case unavailable = 69
    /// EX_CONFIG.
    case configuration = 78
    /// Ended by Ctrl-C, as a shell counts it.
    case interrupted = 130

    static func < (left: PublisherStatus, right: PublisherStatus) -> Bool { left.rawValue < right.rawValue }
}
