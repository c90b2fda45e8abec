import ArgumentParser
import Testing

@testable import BankSimulator

@Suite("Configuration", .timeLimit(.minutes(1)))
struct SimulatorConfigurationTests {
    private func read(
        _ environment: [String: String],
        options: [Setting: String] = [:]
    ) throws(ConfigurationError) -> SimulatorConfiguration {
        try SimulatorConfiguration(options: options, environment: environment)
    }

    @Test("the defaults are the bank's")
    func defaults() throws {
        let defaults = try read(["PORT": "", "FAILURE_RATE": ""])
        #expect(defaults == SimulatorConfiguration())
        #expect(defaults.port == 8787 && defaults.host == "127.0.0.1" && defaults.failureRate == 0.05)
        #expect(defaults.latency == 100...2_000 && defaults.authorizationLifetime == 604_800)
        #expect(defaults.cardBalance == nil && defaults.keyStoreDelay == 1...5)
    }

    @Test("every variable is read")
    func environment() throws {
        let settings = try read([
            "PORT": "0", "HOST": "127.0.0.2", "FAILURE_RATE": "1", "MIN_LATENCY_MS": "0", "MAX_LATENCY_MS": "7",
            "AUTH_EXPIRY_HOURS": "2", "CARD_BALANCE_CENTS": "9223372036854775807", "KEY_STORE_DELAY_MS": "0",
        ])
        let expected = SimulatorConfiguration(
            host: "127.0.0.2",
            port: 0,
            failureRate: 1,
            latency: 0...7,
            authorizationLifetime: 7_200,
            cardBalance: .max,
            keyStoreDelay: 0...0
        )
        #expect(settings == expected)
    }

    @Test("options win over the environment, seconds over hours")
    func precedence() throws {
        let environment = ["PORT": "1", "AUTH_EXPIRY_SECONDS": "30", "AUTH_EXPIRY_HOURS": "1"]
        let settings = try read(environment, options: [.port: "2"])
        #expect(settings.port == 2)
        #expect(settings.authorizationLifetime == 30)
    }

    @Test(
        "one bound of the latency moves the default of the other out of its way",
        arguments: [(nil, "50", 50...50), (nil, "500", 100...500), ("3000", nil, 3_000...3_000), ("7", nil, 7...2_000)]
            as [(String?, String?, ClosedRange<Int64>)]
    )
    func latency(minimum: String?, maximum: String?, expected: ClosedRange<Int64>) throws {
        var environment: [String: String] = [:]
        environment["MIN_LATENCY_MS"] = minimum
        environment["MAX_LATENCY_MS"] = maximum
        #expect(try read(environment).latency == expected)
    }

    @Test(
        "a bad value is named without being repeated",
        arguments: [
            ("PORT", "65536"), ("PORT", "-1"), ("PORT", "x"), ("FAILURE_RATE", "1.1"), ("FAILURE_RATE", "nan"),
            ("MIN_LATENCY_MS", "-1"), ("MAX_LATENCY_MS", "1.5"), ("AUTH_EXPIRY_HOURS", "1000001"),
            ("AUTH_EXPIRY_SECONDS", "-5"), ("CARD_BALANCE_CENTS", "-9"), ("KEY_STORE_DELAY_MS", "5-1"),
            ("KEY_STORE_DELAY_MS", "1-2-3"), ("KEY_STORE_DELAY_MS", "-"), ("KEY_STORE_DELAY_MS", "60001"),
        ]
    )
    func badValues(name: String, value: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try read([name: value]) }
        #expect(error.exitCode == 78)
        #expect(error.problems.count == 1)
        #expect(error.problems.first?.hasPrefix("\(name): ") == true)
    }

    @Test("all problems are told together, and one from the command line makes it a usage error")
    func together() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try read(["PORT": "x", "MAX_LATENCY_MS": "1"], options: [.minimumLatency: "2"])
        }
        #expect(error.exitCode == 64)
        let expected = ["PORT: not an integer from 0 to 65535", "--min-latency-ms: above MAX_LATENCY_MS"]
        #expect(error.problems == expected)
    }

    @Test("the command has an option for every setting", arguments: Setting.allCases)
    func options(setting: Setting) throws {
        #expect(BankSimulatorCommand.helpMessage().contains(setting.optionName))
        #expect(BankSimulatorCommand.helpMessage().contains(setting.environmentName))
        #expect(throws: Never.self) { try BankSimulatorCommand.parse([setting.optionName, "1"]) }
    }

    @Test("the help names every fault and every style")
    func faults() {
        let help = BankSimulatorCommand.helpMessage()
        for name in FaultKind.allCases.map(\.rawValue) { #expect(help.contains("\n  \(name) ")) }
        for name in AnswerStyle.allCases.map(\.rawValue) { #expect(help.contains(name)) }
    }
}
