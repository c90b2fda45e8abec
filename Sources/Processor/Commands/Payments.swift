import ArgumentParser
import Core
import Program

struct Payments: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payments",
        abstract: "Looks payments up in the database, compares them with the bank, ends what needs a person.",
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

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the payments of one order or one customer, or the possible orphans, newest first.",
            discussion: """
                A possible orphan is a payment whose authorize may have left a second hold at the bank, which no payment knows of: \
                `suspected` where an earlier request got no answer and the bank did not know its key, `unlikely` where it got \
                error answers only, or where an operator has resolved it as failed.
                """
        )

        @Option(help: "The payments of this order.")
        var orderID: String?

        @Option(help: "The payments of this customer.")
        var customerID: String?

        @Flag(help: "The payments that may have left a second hold at the bank.")
        var possibleOrphans = false

        @Option(help: "Only those of this merchant.")
        var merchant: String?

        @Option(help: "How many at most, 1 to 200.")
        var limit: String = "\(PaymentQuery.usualLimit)"

        @Option(help: "Go on where an earlier page ended: its next_cursor.")
        var cursor: String?

        @Flag(help: "Print what GET /payments answers.")
        var json = false

        @OptionGroup(title: "Configuration")
        var options: ConfigurationOptions

        func validate() throws {
            _ = try query()
        }

        func run() async throws {
            let configuration = try ProcessorConfiguration(options: options)
            StandardStream.output.print(try await text(from: openQueries(configuration)))
        }

        func text(from queries: any PaymentQueries) async throws -> String {
            let page = try await queries.payments(query())
            return json ? String(decoding: page.json.encoded, as: UTF8.self) : PaymentText.table(of: page)
        }

        /// The options for the fields of the admin API.
        private static func options(named fields: String) -> String {
            fields.split(separator: ", ")
                .map { $0 == "merchant_id" ? "--merchant" : "--\($0.replacing("_", with: "-"))" }
                .joined(separator: ", ")
        }

        private func query() throws -> PaymentQuery {
            do throws(InvalidField) {
                return try PaymentQuery(
                    orderID: orderID,
                    customerID: customerID,
                    possibleOrphans: possibleOrphans ? "true" : nil,
                    merchantID: merchant,
                    limit: limit,
                    cursor: cursor
                )
            } catch {
                throw ValidationError("\(Self.options(named: error.field)): \(error.problem)")
            }
        }
    }
}
