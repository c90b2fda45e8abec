/// How the simulator behaves; the defaults are the bank's own figures.
struct SimulatorConfiguration: Equatable, Sendable {
    var host = "127.0.0.1"
    /// 0 is any free port.
    var port = 8787
    /// Of an injected 500, from 0 to 1.
    var failureRate = 0.05
    /// Milliseconds, uniform.
    var latency: ClosedRange<Int64> = 100...2_000
    /// Seconds from an authorization to its expiry.
    var authorizationLifetime: Int64 = 168 * 60 * 60
    /// Cents on every card but the one for insufficient funds; nil for the bank's own figures.
    var cardBalance: Int64?
    /// Milliseconds from executing a command to storing its idempotency key, uniform; the answer leaves after that.
    var keyStoreDelay: ClosedRange<Int64> = 1...5
}

extension SimulatorConfiguration {
    /// Reads the settings: options over environment over defaults; an empty variable counts as not set.
    init(options: [Setting: String], environment: [String: String]) throws(ConfigurationError) {
        self.init()
        var reader = SettingReader(options: options, environment: environment)
        host = reader.read(.host, "not a host name") { $0.isEmpty ? nil : $0 } ?? host
        port = reader.integer(.port, in: 0...65_535).map { Int($0) } ?? port
        let rate = reader.read(.failureRate, "not a number from 0 to 1") { text in
            Double(text).flatMap { (0...1).contains($0) ? $0 : nil }
        }
        failureRate = rate ?? failureRate

        latency = reader.latency(default: latency)
        let hours = reader.integer(.authorizationExpiryHours, in: 0...1_000_000)
        let seconds = reader.integer(.authorizationExpirySeconds, in: 0...3_600_000_000)
        authorizationLifetime = seconds ?? hours.map { $0 * 3_600 } ?? authorizationLifetime
        cardBalance = reader.read(.cardBalance, "not an integer of 0 or more") { text in
            Int64(text).flatMap { $0 >= 0 ? $0 : nil }
        }
        let delayRule = "not milliseconds from 0 to 60000, or two of them as in 1-5"
        keyStoreDelay = reader.read(.keyStoreDelay, delayRule, Self.delay) ?? keyStoreDelay
        if let error = reader.error { throw error }
    }

    /// `3` or `1-5`.
    private static func delay(_ text: String) -> ClosedRange<Int64>? {
        let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard let first = bounds.first, let lower = first, let last = bounds.last, let upper = last,
            bounds.count <= 2, lower >= 0, lower <= upper, upper <= 60_000
        else { return nil }
        return lower...upper
    }
}

/// Looks values up and collects what is wrong with them. A problem names the setting, never its value.
private struct SettingReader {
    let options: [Setting: String]
    let environment: [String: String]
    private var problems: [String] = []
    private var isUsageError = false

    init(options: [Setting: String], environment: [String: String]) {
        self.options = options
        self.environment = environment.filter { !$0.value.isEmpty }
    }

    var error: ConfigurationError? {
        problems.isEmpty ? nil : ConfigurationError(problems: problems, isUsageError: isUsageError)
    }

    /// The setting as the user gave it: the option where there is one, else the variable.
    func name(_ setting: Setting) -> String {
        options[setting] == nil ? setting.environmentName : setting.optionName
    }

    /// Notes a problem in which all of the settings have a part; the first is named.
    mutating func report(_ settings: Setting..., problem: String) {
        problems.append("\(name(settings[0])): \(problem)")
        if settings.contains(where: { options[$0] != nil }) { isUsageError = true }
    }

    /// - Returns: nil where it is not set, and where it is wrong, which is noted.
    mutating func read<Value>(_ setting: Setting, _ problem: String, _ parse: (String) -> Value?) -> Value? {
        guard let text = options[setting] ?? environment[setting.environmentName] else { return nil }
        if let value = parse(text) { return value }
        report(setting, problem: problem)
        return nil
    }

    mutating func integer(_ setting: Setting, in range: ClosedRange<Int64>) -> Int64? {
        read(setting, "not an integer from \(range.lowerBound) to \(range.upperBound)") { text in
            Int64(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// One bound alone moves the default of the other out of its way.
    mutating func latency(default usual: ClosedRange<Int64>) -> ClosedRange<Int64> {
        let longest: Int64 = 3_600_000
        let minimum = integer(.minimumLatency, in: 0...longest)
        let maximum = integer(.maximumLatency, in: 0...longest)
        switch (minimum, maximum) {
        case (nil, nil):
            return usual
        case (let minimum?, nil):
            return minimum...max(minimum, usual.upperBound)
        case (nil, let maximum?):
            return min(maximum, usual.lowerBound)...maximum
        case (let minimum?, let maximum?):
            if minimum <= maximum { return minimum...maximum }
            report(.minimumLatency, .maximumLatency, problem: "above \(name(.maximumLatency))")
            return usual
        }
    }
}

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

/// Every value that could not be used, told at once.
struct ConfigurationError: Error, Equatable {
    /// For example `PORT: not an integer from 0 to 65535`.
    let problems: [String]
    /// At least one came from the command line: a usage error, not one of configuration.
    let isUsageError: Bool

    /// EX_USAGE or EX_CONFIG (docs/contract.md#exit-codes).
    var exitCode: Int32 { isUsageError ? 64 : 78 }
}
