import ArgumentParser
import Glibc
import Program

@main
struct ProcessorCommand: AsyncParsableCommand {
    private static let program = "processor"

    static let configuration = CommandConfiguration(
        commandName: "processor",
        abstract: "Applies payment commands from RabbitMQ through PostgreSQL and the bank's HTTP API.",
        discussion: """
            Every key of the configuration is an option, a variable of the environment, or a line of .env in the \
            working directory: --amqp-url, AMQP_URL. What was given on the command line wins, then the environment, then .env.

            processor --help-configuration lists them. processor --generate-completion-script bash|zsh|fish prints completions \
            for a shell; man pages: swift package generate-manual.
            """,
        version: ProductVersion.line(of: program),
        subcommands: [
            Run.self, Migrate.self, TopologyCommand.self, CheckConfig.self, Payments.self, DeadLetters.self,
            Sweeps.self, Members.self, Keys.self, Grants.self, Doctor.self, HoldConnections.self,
        ]
    )

    static func main() async {
        StandardStream.begin()
        if CommandLine.arguments.dropFirst().prefix(while: { $0 != "--" }).contains(HelpText.configurationFlag) {
            StandardStream.output.print(HelpText.configuration)
            leave(ExitStatus.done.rawValue)
        }
        do {
            var command = try await asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            leave(ExitStatus.done.rawValue)
        } catch {
            end(with: error)
        }
    }

    private static func end(with error: any Error) -> Never {
        if let failure = CommandFailure(error) {
            for line in failure.lines { report(line) }
            leave(failure.status.rawValue)
        }
        // Usage errors, requests for help, and exit codes that a command has chosen itself.
        let code = exitCode(for: error)
        if code != .failure || error is ExitCode {
            let text = fullMessage(for: error)
            let shown = code.isSuccess ? HelpText.completed(text) : text
            if !text.isEmpty { (code.isSuccess ? StandardStream.output : .error).print(shown) }
            leave(code.rawValue)
        }
        // Only the type: the text of an error that nobody has thought of might hold anything.
        report("unexpected \(type(of: error))")
        leave(ExitStatus.internal.rawValue)
    }

    /// Behind the lines of the log, and like them: nobody need read it.
    private static func report(_ line: String) {
        LogWriter.standardError.write(Array("\(program): \(line)\n".utf8), isUrgent: true)
    }

    /// Ends without the clean-up of the C libraries: their other threads may still be in the middle of something, such as opening
    /// a connection, and crash when what they use is taken away.
    private static func leave(_ status: Int32) -> Never {
        LogWriter.standardError.flush()
        fflush(nil)
        _exit(StandardStream.endStatus(status, of: program))
    }
}
