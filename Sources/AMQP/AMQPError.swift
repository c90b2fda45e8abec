/// What went wrong between us and the broker.
///
/// `description` carries codes, and the address of a broker that cannot be reached: no other parameters, no message, no credentials.
/// What the broker said is kept apart in `brokerText`, because it names queues and arguments; it is meant for topology mismatches, where a person needs it.
package struct AMQPError: Error, Equatable, Sendable {
    /// The kinds of failure. Closed: a `switch` over it needs no default.
    package enum Code: Equatable, Hashable, Sendable {
        /// The URL or a file of the configuration is unusable; `problem` names what.
        case invalidConfiguration
        /// An argument cannot be put on the wire (a name above 255 bytes, headers larger than a frame, …).
        case invalidArgument
        /// No connection to the address: refused, unreachable, unresolvable, or no answer within the connect timeout.
        case connectFailed
        /// The broker refused user and password (403 at login).
        case authenticationFailed
        /// The TLS handshake failed, or the certificate is not to be trusted, or a TLS file cannot be read.
        case tlsFailed
        /// The virtual host does not exist or may not be used (530 at login).
        case vhostRefused
        /// The connection broke.
        case connectionLost
        /// The broker closed the channel, with this reply code (404, 403, 405, 406, …). The connection lives on.
        case channelClosed(replyCode: UInt16)
        /// The broker closed the connection, with this reply code (320 when it shuts down or an operator says so).
        case connectionClosedByBroker(replyCode: UInt16)
        /// Nothing was heard from the broker for two heartbeat intervals.
        case heartbeatMissed
        /// No confirm within the publish's timeout.
        case confirmTimeout
        /// The broker, or a session's next connection, did not answer in time.
        case timeout
        /// The broker cancelled the consumer: its queue was deleted or has moved.
        case cancelledByBroker
        /// The connection or the session was closed by this side.
        case closed
        /// The task that waited was cancelled.
        case cancelled
        /// The broker sent something that makes no sense here, or that cannot be decoded.
        case protocolViolation
    }

    package let code: Code
    /// What the broker gave as its reason, verbatim.
    package let brokerText: String?
    /// What is wrong, in our own words; never holds a value that was passed in, except for the broker's address.
    package let problem: String?
    /// True when a message was handed to the broker and nobody knows whether it has taken it.
    package let outcomeUnknown: Bool

    package init(_ code: Code, brokerText: String? = nil, problem: String? = nil, outcomeUnknown: Bool = false) {
        self.code = code
        self.brokerText = brokerText
        self.problem = problem
        self.outcomeUnknown = outcomeUnknown
    }

    /// What is wrong with each node of a broker; the rest is that of the first.
    init(joining failures: [AMQPError]) {
        let first = failures.first ?? AMQPError(.connectFailed)
        guard failures.count > 1 else { self = first; return }
        let problem = failures.map { failure in
            failure.code == first.code ? failure.problem ?? failure.code.description : failure.description
        }.joined(separator: "; ")
        self.init(first.code, brokerText: first.brokerText, problem: problem, outcomeUnknown: first.outcomeUnknown)
    }

    /// The same, saying at which node.
    func at(_ address: AMQPAddress) -> AMQPError {
        let problem = problem.map { "\($0), \(address)" } ?? address.description
        return AMQPError(code, brokerText: brokerText, problem: problem, outcomeUnknown: outcomeUnknown)
    }

    /// Whether the same call may succeed later, on this or a new connection, with nothing else changed.
    package var isRetriable: Bool {
        switch code {
        case .connectFailed, .connectionLost, .heartbeatMissed, .confirmTimeout, .timeout, .cancelledByBroker: true
        case .connectionClosedByBroker(let reply): reply == 320 || reply == 541
        case .channelClosed(let reply): reply == 541 || reply == 506
        case .invalidConfiguration, .invalidArgument, .authenticationFailed, .tlsFailed, .vhostRefused, .closed,
            .cancelled, .protocolViolation:
            false
        }
    }

    /// The same failure, for a message that had been handed to the broker already.
    func withUnknownOutcome() -> AMQPError {
        AMQPError(code, brokerText: brokerText, problem: problem, outcomeUnknown: true)
    }
}

extension AMQPError: CustomStringConvertible {
    package var description: String {
        var text = code.description
        if let problem { text += ": \(problem)" }
        if outcomeUnknown { text += " (outcome unknown)" }
        return text
    }
}

extension AMQPError.Code: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidConfiguration: "invalid AMQP configuration"
        case .invalidArgument: "invalid AMQP argument"
        case .connectFailed: "cannot connect to the broker"
        case .authenticationFailed: "the broker refused the credentials"
        case .tlsFailed: "TLS failed"
        case .vhostRefused: "the broker refused the virtual host"
        case .connectionLost: "connection to the broker lost"
        case .channelClosed(let reply): "channel closed by the broker (\(reply))"
        case .connectionClosedByBroker(let reply): "connection closed by the broker (\(reply))"
        case .heartbeatMissed: "no heartbeat from the broker"
        case .confirmTimeout: "no confirm in time"
        case .timeout: "no answer in time"
        case .cancelledByBroker: "consumer cancelled by the broker"
        case .closed: "connection closed"
        case .cancelled: "cancelled"
        case .protocolViolation: "AMQP protocol violation"
        }
    }
}
