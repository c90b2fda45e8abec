import ArgumentParser
import Core
import Program

struct Payments: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payments",
        abstract: "Looks payments up in the database, compares them with the bank, ends what needs manual review.",
        subcommands: [Show.self, List.self, ResolveOperation.self, ReconcileReport.self]
    )

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one payment with its history and its operations."
        )

        @Argument(help: "The payment's id, a UUID.")
        var id: String

        @Flag(help: "Print what GET /payments/{id} answers.")
        var json = false

        @OptionGroup(title: "Configuration")
        var options: ConfigurationOptions

        func validate() throws {
            guard PaymentID(id) != nil else { throw ValidationError("the payment id is not a UUID") }
        }

        func run() async throws {
            let configuration = try ProcessorConfiguration(options: options)
            StandardStream.output.print(try await text(from: openQueries(configuration)))
        }

        /// - Throws: `CommandFailure` with 1 where there is no such payment.
        func text(from queries: any PaymentQueries) async throws -> String {
            guard let id = PaymentID(id), let view = try await queries.payment(id) else {
                throw CommandFailure(.differences, "there is no payment \(id)")
            }
            return json ? String(decoding: view.json.encoded, as: UTF8.self) : PaymentText.details(of: view)
        }
    }
}
