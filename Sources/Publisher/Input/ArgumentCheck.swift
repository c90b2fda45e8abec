import Core
import PaymentCommands

/// What people mistype, said in words, before ArgumentParser says it in its own.
enum ArgumentCheck {
    private static let commands = ["authorize", "capture", "void", "refund", "batch", "replies"]
    private static let cents = "--amount takes whole cents, at least 1, digits only: 5000 is $50.00"

    /// - Throws: `Failure` with the way out.
    static func check(_ arguments: [String]) throws(Failure) {
        try checkCommand(arguments.first)
        guard let amount = value(of: "--amount", in: arguments) else { return }
        if amount.hasPrefix("-"), amount.dropFirst().first?.isNumber == true { throw Failure(.usage, cents) }
        if let exact = inCents(amount) {
            throw Failure(.usage, "\(cents). For \(amount) dollars say --amount \(exact)")
        }
    }

    private static func checkCommand(_ name: String?) throws(Failure) {
        guard let name, !name.hasPrefix("-"), name != "help", !commands.contains(name) else { return }
        let nearest = commands.map { ($0, distance(name.lowercased(), $0)) }.min { $0.1 < $1.1 }
        guard let nearest, nearest.1 <= 2 else { return }
        let shown = PlainText.of(CardNumberMask.masking(String(name.prefix(40))))
        throw Failure(.usage, "there is no command '\(shown)': did you mean \(nearest.0)?")
    }

    /// The last of it, as ArgumentParser takes it, with `=` or without.
    private static func value(of option: String, in arguments: [String]) -> String? {
        let arguments = Array(arguments.prefix { $0 != "--" })
        for (index, argument) in arguments.enumerated() {
            if argument.hasPrefix(option + "=") { return String(argument.dropFirst(option.count + 1)) }
            if argument == option, index + 1 < arguments.count { return arguments[index + 1] }
        }
        return nil
    }

    /// Of what was typed as dollars, with a point.
    private static func inCents(_ text: String) -> String? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...15).contains(parts[0].count), (1...2).contains(parts[1].count),
            parts.allSatisfy({ $0.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }),
            let dollars = Int(parts[0]), let rest = Int(parts[1])
        else { return nil }
        let cents = dollars * 100 + (parts[1].count == 1 ? rest * 10 : rest)
        return cents > 0 ? "\(cents)" : nil
    }

    /// How many dead letters must be changed, added or left out.
    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count <= 40 else { return left.count }
        var row = Array(0...right.count)
        for (i, deadLetter) in left.enumerated() {
            var next = [i + 1]
            for (j, other) in right.enumerated() {
                next.append(min(row[j] + (deadLetter == other ? 0 : 1), row[j + 1] + 1, next[j] + 1))
            }
            row = next
        }
        return row[right.count]
    }
}

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
