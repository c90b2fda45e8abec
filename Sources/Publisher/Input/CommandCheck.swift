import Core
import PaymentCommands

/// Checks a command before it is sent, by the rules that the processor will apply to it.
enum CommandCheck {
    /// - Throws: `Failure` naming the option.
    static func check(_ command: OutgoingCommand) throws(Failure) {
        if let problem = command.problem {
            throw Failure(.usage, "\(option(for: problem.field)) \(problem.problem)")
        }
        if case .authorize = command.kind, let number = cardNumber(command.body), !LuhnCheck.passes(number) {
            throw Failure(
                .usage,
                "--card: the number's check digit is wrong, so it is mistyped; --no-check sends it anyway"
            )
        }
    }

    private static func cardNumber(_ body: [UInt8]) -> String? {
        (try? JSONParser.parse(body))?["card"]?["number"]?.string
    }

    /// `order_id` comes from `--order-id`, `card.expiry_month` from `--expiry`.
    private static func option(for field: String) -> String {
        switch field {
        case "card.number": "--card"
        case "card.expiry_month": "--expiry: the month"
        case "card.expiry_year": "--expiry: the year"
        default: "--" + (field.split(separator: ".").last ?? "").map { $0 == "_" ? "-" : String($0) }.joined()
        }
    }
}
