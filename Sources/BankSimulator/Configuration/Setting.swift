/// What can be configured, under its name in the environment and on the command line.
enum Setting: String, CaseIterable, Sendable {
    case port = "PORT"
    case host = "HOST"
    case failureRate = "FAILURE_RATE"
    case minimumLatency = "MIN_LATENCY_MS"
    case maximumLatency = "MAX_LATENCY_MS"
    case authorizationExpiryHours = "AUTH_EXPIRY_HOURS"
    case authorizationExpirySeconds = "AUTH_EXPIRY_SECONDS"
    case cardBalance = "CARD_BALANCE_CENTS"
    case keyStoreDelay = "KEY_STORE_DELAY_MS"

    var environmentName: String { rawValue }

    /// For example `--min-latency-ms`.
    var optionName: String { "--" + rawValue.lowercased().split(separator: "_").joined(separator: "-") }
}
