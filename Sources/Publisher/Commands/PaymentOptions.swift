import ArgumentParser
import Core

/// The payment that a command is about.
struct PaymentOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The payment, as its authorize named it.", valueName: "uuid"))
    var paymentID: String
}

/// The amount of a capture or refund, which the bank takes whole.
struct WholeAmountOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The whole amount in minor units, to be sure. (default: whatever it is)", valueName: "cents")
    )
    var amount: String?

    var body: JSONValue {
        .object(amount.map { ["amount": AmountText.json($0)] } ?? [:])
    }
}
