import ArgumentParser
import Core
import Program

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the database schema up to date, and prints what was applied.",
        discussion: """
            Each migration runs once, in order, in a transaction; any number of processors may try at the same time. \
            `processor run` does this too.
            """
    )

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let applied = try await Migrator(pool: .forCommand(configuration)).migrate()
        for name in applied { StandardStream.output.print(name) }
        if applied.isEmpty { StandardStream.error.print("processor: the schema is up to date") }
    }
}
