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

extension Payments {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the payments that meet all of the filters, newest first.",
            discussion: """
                One filter is needed, any number may be combined. A page reads no more than ten thousand payments: where few of them \
                match it is short, and --cursor goes on.

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

        @Option(help: "The payments in this status, such as CAPTURED.")
        var status: String?

        @Option(help: "The payment that has an operation under this key.")
        var idempotencyKey: String?

        @Option(help: "The payment that has this id at the bank, of an authorization, capture, void or refund.")
        var bankID: String?

        @Option(help: "The payment of this message, while it waits on a retry tier or is a dead letter.")
        var messageID: String?

        @Option(help: "The payments created then or later, such as 2026-01-31T23:59:59Z.")
        var since: String?

        @Option(help: "The payments created before then.")
        var until: String?

        @Option(help: "Only those of this merchant.")
        var merchant: String?

        @Option(help: "How many at most, 1 to 200.")
        var limit: String = "\(PaymentQueryInput.usualLimit)"

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
                return try PaymentQueryInput(
                    orderID: orderID,
                    customerID: customerID,
                    possibleOrphans: possibleOrphans ? "true" : nil,
                    status: status,
                    idempotencyKey: idempotencyKey,
                    bankID: bankID,
                    messageID: messageID,
                    since: since,
                    until: until,
                    merchantID: merchant,
                    limit: limit,
                    cursor: cursor
                ).query()
            } catch {
                throw ValidationError("\(Self.options(named: error.field)): \(error.problem)")
            }
        }
    }
}
