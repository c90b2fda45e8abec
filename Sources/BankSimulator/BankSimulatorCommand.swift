import ArgumentParser
import Glibc
import Logging
import Program

/// The command line.
@main
struct BankSimulatorCommand: AsyncParsableCommand {
    private static let program = "bank-simulator"

    static let configuration = CommandConfiguration(
        commandName: "bank-simulator",
        abstract: "The mock card bank, for development, tests and benchmarks.",
        discussion: """
            Every option can be given in the environment as well (the name in parentheses); the option wins. All state \
            is in memory. Standard output carries one line, `listening on HOST:PORT`; logs go to standard error. \
            SIGTERM and SIGINT stop it at once.

            A request whose caller hangs up is given up: what is not executed yet never is, and the key of what has \
            been executed is stored only if it was before. The key is always stored before the answer leaves.

            Beyond the bank's API: GET /ledger, GET /requests (the last 200,000), POST, GET and DELETE /faults, and \
            POST /clock. The body of POST /faults is {"fault":NAME,"operation":"capture","count":N,"probability":P,\
            "milliseconds":N}, all but the name with defaults. The names:

              drop-before            cut the connection, execute nothing
              drop-after             execute, store the key, cut the connection
              timeout-after-execute  execute, store the key, hold the answer
              garbage                execute, store the key, answer HTML
              error-500              answer internal_error, execute nothing
              lose-key               execute, answer, store no key
              latency                wait for the milliseconds first
              down                   cut all connections but to these endpoints
              status                 answer "status" with "headers" and "body";
                                     execute before that only if "executes"
              reshape                answer as usual in another "style"
              same-id                give an authorize the id of the last one,
                                     execute nothing

            The styles: \(AnswerStyle.allCases.map(\.rawValue).joined(separator: ", ")).
            """,
        version: ProductVersion.line(of: program)
    )

    @Option(help: "Port to listen on, 0 for any free one (PORT, default 8787).")
    var port: String?

    @Option(help: "Address to listen on (HOST, default 127.0.0.1).")
    var host: String?

    @Option(help: "Probability of an injected 500, 0 to 1 (FAILURE_RATE, default 0.05).")
    var failureRate: String?

    @Option(help: "Lower bound of the injected latency (MIN_LATENCY_MS, default 100).")
    var minLatencyMs: String?

    @Option(help: "Upper bound of the injected latency (MAX_LATENCY_MS, default 2000).")
    var maxLatencyMs: String?

    @Option(help: "Hours until an authorization expires (AUTH_EXPIRY_HOURS, default 168).")
    var authExpiryHours: String?

    @Option(help: "Seconds until an authorization expires; wins over the hours (AUTH_EXPIRY_SECONDS).")
    var authExpirySeconds: String?

    @Option(help: "Balance of every card but 5555555555554444, in cents (CARD_BALANCE_CENTS).")
    var cardBalanceCents: String?

    @Option(help: "Milliseconds from executing to storing the key, n or n-m (KEY_STORE_DELAY_MS, default 1-5).")
    var keyStoreDelayMs: String?

    private var options: [Setting: String] {
        let values: [Setting: String?] = [
            .port: port,
            .host: host,
            .failureRate: failureRate,
            .minimumLatency: minLatencyMs,
            .maximumLatency: maxLatencyMs,
            .authorizationExpiryHours: authExpiryHours,
            .authorizationExpirySeconds: authExpirySeconds,
            .cardBalance: cardBalanceCents,
            .keyStoreDelay: keyStoreDelayMs,
        ]
        return values.compactMapValues { $0 }
    }

    /// Parses by hand, so that every error is one line.
    static func main() async {
        StandardStream.begin()
        do {
            try await Self.parse().run()
        } catch let error where exitCode(for: error) == .success {
            StandardStream.output.print(fullMessage(for: error))
            Glibc.exit(StandardStream.endStatus(0, of: program))
        } catch let error as ConfigurationError {
            leave(error.problems.joined(separator: "; "), status: error.exitCode)
        } catch let error where exitCode(for: error) == .validationFailure {
            leave(message(for: error), status: 64)
        } catch {
            leave("cannot listen: \(error)", status: 69)
        }
    }

    func run() async throws {
        let settings = try SimulatorConfiguration(options: options, environment: Self.environment)
        // Nothing outlives the process, so there is nothing to put in order first.
        for number in [SIGTERM, SIGINT] { signal(number) { _ in _exit(0) } }
        LoggingSystem.bootstrap(StreamLogHandler.standardError)

        let server = SimulatorServer(
            Simulator(configuration: settings),
            host: settings.host,
            port: settings.port,
            logger: Logger(label: "bank-simulator")
        )
        try await server.run { port in
            StandardStream.output.print("listening on \(settings.host):\(port)")
            // Whoever waits for this line would wait forever.
            if StandardStream.isOutputLost { Glibc.exit(StandardStream.endStatus(0, of: Self.program)) }
        }
    }

    private static var environment: [String: String] {
        let pairs = Setting.allCases.compactMap { setting in
            getenv(setting.environmentName).map { (setting.environmentName, String(cString: $0)) }
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    private static func leave(_ message: String, status: Int32) -> Never {
        StandardStream.error.print("\(program): \(message)")
        Glibc.exit(status)
    }
}
