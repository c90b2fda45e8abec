import ArgumentParser
import Core
import Program

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the database schema up to date, and prints what was applied.",
        discussion: """
            Each migration runs once, in order, in a transaction; any number of processors may try at the same time. It takes the \
            time it needs, and waits for locks in short tries, so that live traffic goes on. `processor run` does this too, \
            unless database.migrate is false; then its role needs to read and write the tables only.
            """
    )

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let preparation = DatabasePreparation(pool: .forCommand(configuration), configuration: configuration) {
            StandardStream.error.print("processor: \($0)")
        }
        let applied = try await preparation.run(migrates: true)
        for name in applied { StandardStream.output.print(name) }
        if applied.isEmpty { StandardStream.error.print("processor: the schema is up to date") }
    }
}
