import ArgumentParser
import Glibc

@main
struct ProcessorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "processor",
        abstract: "Applies payment commands from RabbitMQ through PostgreSQL and the bank's HTTP API.",
        discussion: """
            Every key of the configuration is an option, a variable of the environment, or a line of .env in the \
            working directory: --amqp-url, AMQP_URL. What was given on the command line wins, then the environment, then .env.

            Exit codes: 0 done, 1 done with differences or failures, 64 usage, 69 broker, database or port unusable, \
            70 internal, 78 configuration.
            """,
        subcommands: [Run.self, Migrate.self, TopologyCommand.self, CheckConfig.self, Payments.self, DeadLetters.self]
    )

    static func main() async {
        // A peer that has gone is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try await asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            end(with: error)
        }
    }

    private static func end(with error: any Error) -> Never {
        if let failure = CommandFailure(error) {
            for line in failure.lines { StandardStream.error.print("processor: \(line)") }
            Glibc.exit(failure.status.rawValue)
        }
        // Usage errors, requests for help, and exit codes that a command has chosen itself.
        let code = exitCode(for: error)
        if code != .failure || error is ExitCode { exit(withError: error) }
        // Only the type: the text of an error that nobody has thought of might hold anything.
        StandardStream.error.print("processor: unexpected \(type(of: error))")
        Glibc.exit(ExitStatus.internal.rawValue)
    }
}
