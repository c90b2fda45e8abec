/// Why there is no reply. The text never holds card data, nor credentials.
public struct PaymentClientError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// An address, a file or a key cannot be used as it is. Nothing was sent.
        case configuration
        /// The command breaks a rule of docs/contract.md#commands; the text names the field. Nothing was sent.
        case invalidCommand
        /// The broker cannot be reached, or does not let this user do it. Nothing was sent.
        case unavailable
        /// The broker had no room for the command, so nothing was done.
        case refused
        /// The connection ended before the broker had confirmed the command: it may have it or not.
        case unconfirmed
        /// The broker has the command. No final reply came within the time that was given for it.
        case noReply
        /// The broker has the command. The connection ended before the final reply came, and the reply queue with it.
        case connectionLost
    }

    public let code: Code
    public let description: String
    /// Whether the same may succeed a little later, with nothing else changed.
    public let isPassing: Bool
    /// Why there is no connection, where that is so.
    package let refusal: Refusal?

    /// What a broker, or the way to it, has against a login.
    package enum Refusal: Hashable, Sendable {
        case credentials, virtualHost, certificate, other
    }

    package init(_ code: Code, _ description: String, isPassing: Bool = false, refusal: Refusal? = nil) {
        self.code = code
        self.description = description
        self.isPassing = isPassing
        self.refusal = refusal
    }

    /// Whether the command may have taken effect all the same. Then send the same `PaymentCommand` again, on a new connection, until a
    /// final reply comes: under its key it takes effect once. Never make another command of it.
    public var mayHaveTakenEffect: Bool {
        switch code {
        case .configuration, .invalidCommand, .unavailable, .refused: false
        case .unconfirmed, .noReply, .connectionLost: true
        }
    }
}
