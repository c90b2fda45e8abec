/// Everything that is wrong with the configuration, told at once. The process exits with 78
/// (docs/contract.md#configuration).
struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line each: `amqp.prefetch (AMQP_PREFETCH): is not an integer; allowed: an integer from 1 to 65535`.
    let problems: [String]

    var description: String { problems.joined(separator: "\n") }
}
