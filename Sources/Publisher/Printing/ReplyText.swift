import Core
import PaymentCommands

/// A reply for people. It holds no card data, because a reply holds none.
struct ReplyText {
    private let reply: ReceivedReply
    private let palette: Palette

    init(_ reply: ReceivedReply, _ palette: Palette) {
        self.reply = reply
        self.palette = palette
    }

    /// Several lines, each with its line feed.
    var text: String {
        var table = Table()
        addPayment(to: &table)
        table.add("key", string(reply.json["idempotency_key"]))
        table.add("bank", (reply.json["bank_response"]?["status"]?.integer).map { "answered with status \($0)" })
        addError(to: &table)
        if reply.isReplayed { table.add("note", "this key was completed before; this is the stored reply") }
        return headline + "\n" + table.text(palette)
    }

    private var headline: String {
        let operation = string(reply.json["operation"]) ?? "command"
        let title =
            switch reply.outcome {
            case .succeeded: palette.green("succeeded")
            case .declined: palette.red("declined")
            case .rejected: palette.yellow("rejected")
            case .unknown: palette.yellow("outcome unknown")
            }
        return palette.bold(operation) + " " + title
    }

    private func addPayment(to table: inout Table) {
        let payment = reply.json["payment"] ?? .null
        table.add("payment", string(reply.json["payment_id"]))
        table.add("state", string(payment["status"]))
        if let amount = payment["amount"]?.integer {
            table.add("amount", MoneyText.of(minorUnits: amount, currency: payment["currency"]?.string ?? ""))
        }
        table.add("order", string(payment["order_id"]))
        table.add("customer", string(payment["customer_id"]))
        table.add("merchant", string(payment["merchant_id"]))
        for operation in ["authorization", "capture", "void", "refund"] {
            table.add(operation, string(payment["bank"]?["\(operation)_id"]))
        }
        for event in ["authorized", "captured", "voided", "refunded", "expires"] {
            table.add(event, string(payment["\(event)_at"]))
        }
    }

    private func addError(to table: inout Table) {
        guard let error = reply.json["error"], !error.isNull else { return }
        let source = error["source"]?.string == "bank" ? "the bank" : "the processor"
        let code = string(error["code"]) ?? "no code"
        table.add("error", "\(palette.bold(code)): \(string(error["message"]) ?? "no message") (from \(source))")
        table.add("retry", RetryAdvice.text(for: reply))
    }

    private func string(_ value: JSONValue?) -> String? { value?.string.map(PlainText.of) }
}

/// Whether to send a refused command again, and under which key (docs/contract.md#codes).
enum RetryAdvice {
    /// What is not stored was not decided either, so its key is still free.
    private static let notStored: Set<String> = Set(
        [
            RejectionCode.invalidCommand, .idempotencyKeyReused, .paymentNotFound, .paymentBusy, .deadlinePassed,
        ].map(\.rawValue)
    )

    static func text(for reply: ReceivedReply) -> String {
        if !reply.isFinal { return "no: a final reply follows, and the same key gets it" }
        guard reply.json["error"]?["retryable"] == .bool(true) else { return "no" }
        if notStored.contains(reply.errorCode ?? "") { return "yes, under the same key" }
        let isAuthorize = reply.json["operation"]?.string == OperationKind.authorize.rawValue
        return isAuthorize ? "yes, with a new key and a new payment id" : "yes, with a new key"
    }
}

/// What `--no-wait` prints: by which names the command can be found again.
enum ReceiptText {
    static func json(_ command: PaymentCommand) -> String {
        let members: [String: JSONValue] = [
            "idempotency_key": .string(command.idempotencyKey), "message_id": .string(command.messageID),
            "payment_id": .string(command.paymentID),
        ]
        return String(decoding: JSONValue.object(members).encoded, as: UTF8.self)
    }

    static func text(_ command: PaymentCommand, _ palette: Palette) -> String {
        var table = Table()
        table.add("payment", PlainText.of(command.paymentID))
        table.add("key", PlainText.of(command.idempotencyKey))
        table.add("message", command.messageID)
        table.add("reply", "goes to the common reply queue")
        return palette.bold("\(command.operation) sent") + "\n" + table.text(palette)
    }
}

/// Amounts for people.
enum MoneyText {
    /// `$50.00 (5000 minor units)`; of a currency whose minor unit is not known here, the minor units alone.
    static func of(minorUnits: Int64, currency: String) -> String {
        guard currency == "USD", minorUnits >= 0 else {
            return "\(minorUnits) minor units of \(PlainText.of(currency))"
        }
        let cents = minorUnits % 100
        return "$\(grouped(minorUnits / 100)).\(cents < 10 ? "0" : "")\(cents) (\(minorUnits) minor units)"
    }

    /// `12,345`.
    static func grouped(_ number: some BinaryInteger) -> String {
        let digits = Array(String(number))
        var output = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { output.append(",") }
            output.append(digit)
        }
        return output
    }
}
