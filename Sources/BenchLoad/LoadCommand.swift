import AMQP
import ArgumentParser
import Core
import Glibc
import Program

/// The load of a benchmark: sends commands to a processor that runs, and measures how it answers (docs/performance.md).
@main
struct LoadCommand: AsyncParsableCommand {
    private static let program = "bench-load"

    static let configuration = CommandConfiguration(
        commandName: program,
        abstract: "Send the load of a benchmark to a processor that runs, and measure the answers.",
        discussion: """
            Scenarios: authorize (a new payment each), lifecycle (authorize, capture and refund of each payment, each after \
            the reply to the one before), replay (authorizes that were all answered before, under the same keys). With \
            --rate, commands leave at that pace whatever the answers do, and a latency counts from the planned moment; \
            otherwise --window of them are under way at all times. Exit codes: 0 all succeeded, 1 something else, 64 usage, \
            69 broker unusable, 74 standard output cannot be written.
            """,
        version: ProductVersion.line(of: program)
    )

    @Option(help: "authorize, lifecycle or replay.")
    var scenario = LoadScenario.authorize

    @Option(help: "How many commands are measured; in a lifecycle rounded down to whole payments.")
    var count = 20_000

    @Option(help: "Commands under way at the same time.")
    var window = 2_000

    @Option(help: "Commands a second, instead of a window. Not with a lifecycle.")
    var rate: Int?

    @Option(help: "Of how many customers the orders are.")
    var customers = 1_000

    @Option(
        help: "A file with the processor's public keys: cards are sealed for the first, before anything is measured."
    )
    var cardKey: String?

    @Flag(help: "Print one line of JSON.")
    var json = false

    @Option(help: "The broker; otherwise AMQP_URL.")
    var amqpURL: String?

    static func main() async { await runProgram(program) }

    func validate() throws {
        guard (1...10_000_000).contains(count) else { throw ValidationError("--count must be 1 to 10000000") }
        guard (1...10_000).contains(window) else { throw ValidationError("--window must be 1 to 10000") }
        guard customers >= 1 else { throw ValidationError("--customers must be at least 1") }
        if let rate {
            guard (1...100_000).contains(rate) else { throw ValidationError("--rate must be 1 to 100000") }
            guard scenario != .lifecycle else { throw ValidationError("--rate does not go with a lifecycle") }
        }
    }

    func run() async throws {
        let url = amqpURL ?? getenv("AMQP_URL").map { String(cString: $0) } ?? ""
        let report: LoadReport
        let key = try publicKey()
        do throws(AMQPError) {
            var configuration = try AMQPConfiguration(url: url)
            configuration.connectionName = Self.program
            let client = try await LoadClient.connect(configuration, replies: UInt16(clamping: window))
            report = try await load(client, key).run(rate.map(LoadPace.rate) ?? .window(window))
            await client.close()
        } catch {
            StandardStream.error.print("\(Self.program): \(error); is AMQP_URL right, and does a processor run?")
            throw ExitCode(69)
        }
        StandardStream.output.print(json ? report.json : report.text)
        guard report.areAllSuccessful else { throw ExitCode(1) }
    }

    private func load(_ client: LoadClient, _ key: CardPublicKey?) throws(AMQPError) -> LoadRun {
        do throws(CardKeyProblem) {
            return try LoadRun(client, scenario, count: count, customers: customers, cardKey: key)
        } catch {
            throw AMQPError(.invalidConfiguration, problem: "--card-key \(error)")
        }
    }

    private func publicKey() throws -> CardPublicKey? {
        guard let cardKey else { return nil }
        guard let file = fopen(cardKey, "r") else {
            throw ValidationError("--card-key names a file that cannot be read")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: JSONWebKey.maximumSize)
        let count = fread(&bytes, 1, bytes.count, file)
        guard let key = try? JSONWebKey.publicKeys(Array(bytes[..<count])).first else {
            throw ValidationError("--card-key names a file without a key that cards can be sealed for")
        }
        return key
    }
}
