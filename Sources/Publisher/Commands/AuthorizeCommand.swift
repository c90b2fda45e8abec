import ArgumentParser
import Core
import PaymentCommands

struct AuthorizeCommand: SingleCommand {
    static let configuration = CommandConfiguration(
        commandName: "authorize",
        abstract: "Hold an amount on a card: the start of a payment.",
        discussion: """
            EXAMPLES:
              publisher authorize --amount 5000 --order-id order-1 --customer-id cust-1 \\
                  --card 4111111111111111 --cvv 123 --expiry 12/2030
              echo '4111111111111111 123 12/2030' | publisher authorize --card - \\
                  --amount 5000 --order-id order-1 --customer-id cust-1

            With --card-key, or PUBLISHER_CARD_KEY, the card travels sealed, and nobody but the processor can read it.

            After an answer was lost, send the same command with the same key again: it takes effect \
            once, and the answer is the same. A key that is given without a payment id always means \
            the same payment. After a decline, a new attempt takes a new key and a new payment id.

            EXIT CODES: 0 authorized, 2 declined, 3 rejected, 4 unknown or no reply, 64 usage, \
            69 broker, 78 configuration.
            """
    )

    @Option(help: ArgumentHelp("In minor units: 5000 is $50.00.", valueName: "cents"))
    var amount: String

    @Option(help: ArgumentHelp("Your order.", valueName: "id"))
    var orderID: String

    @Option(help: ArgumentHelp("Your customer.", valueName: "id"))
    var customerID: String

    @Option(
        help: ArgumentHelp(
            "The card's number; - reads 'number cvv mm/yyyy' from standard input.",
            discussion: "Who is on this machine can see what is given here in the process list.",
            valueName: "number"
        )
    )
    var card: String

    @Option(help: ArgumentHelp("3 or 4 digits; not with --card -.", valueName: "digits"))
    var cvv: String?

    @Option(help: ArgumentHelp("Such as 12/2030; not with --card -.", valueName: "mm/yyyy"))
    var expiry: String?

    @Option(
        help: ArgumentHelp(
            "The processor's public key, to seal the card for: a file, or an address such as https://…/.well-known/jwks.json.",
            valueName: "file|url"
        )
    )
    var cardKey: String?

    @Option(help: ArgumentHelp("The bank takes USD.", valueName: "code"))
    var currency: String?

    @Option(help: ArgumentHelp("The new payment's id. (default: a new one)", valueName: "uuid"))
    var paymentID: String?

    @OptionGroup
    var sending: SendingOptions

    func draft(now: Timestamp) throws(Failure) -> OutgoingCommand {
        var members: [String: JSONValue] = [
            "amount": AmountText.json(amount), "order_id": .string(orderID), "customer_id": .string(customerID),
            "card": .object(try cardEntry().json),
        ]
        members["currency"] = currency.map(JSONValue.string)
        return OutgoingCommand(
            kind: .authorize,
            paymentID: paymentID,
            options: sending,
            deadline: try sending.deadline(now: now),
            body: .object(members)
        )
    }

    private func cardEntry() throws(Failure) -> CardEntry {
        guard card != "-" else {
            guard cvv == nil, expiry == nil else {
                throw Failure(.usage, "--card - reads the cvv and the expiry too: leave --cvv and --expiry out")
            }
            return try CardEntry(line: try StandardInput.cardLine())
        }
        guard let cvv else { throw missing("--cvv") }
        guard let expiry else { throw missing("--expiry") }
        return CardEntry(number: card, cvv: cvv, expiry: try CardExpiry(expiry, source: "--expiry"))
    }

    private func missing(_ option: String) -> Failure {
        Failure(.usage, "\(option) is missing (or give --card - and the card on standard input)")
    }
}

extension CardEntry {
    fileprivate var json: [String: JSONValue] {
        [
            "number": .string(number), "cvv": .string(cvv), "expiry_month": .integer(expiry.month),
            "expiry_year": .integer(expiry.year),
        ]
    }
}
