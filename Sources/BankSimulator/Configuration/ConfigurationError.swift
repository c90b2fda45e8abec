/// Every value that could not be used, told at once.
struct ConfigurationError: Error, Equatable {
    /// For example `PORT: not an integer from 0 to 65535`.
    let problems: [String]
    /// At least one came from the command line: a usage error, not one of configuration.
    let isUsageError: Bool

    /// EX_USAGE or EX_CONFIG (docs/contract.md#exit-codes).
    var exitCode: Int32 { isUsageError ? 64 : 78 }
}
