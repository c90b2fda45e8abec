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
