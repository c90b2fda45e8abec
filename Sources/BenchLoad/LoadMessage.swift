import Core

/// A command of the load. The names of a run are its own, so that runs can follow one another on the same database.
struct LoadMessage: Sendable {
    /// Of the run.
    let run: UInt64
    let customers: Int

    func message(_ kind: OperationKind, of payment: Int, correlation: Int, replyTo: String) -> Message {
        Message(
            type: kind.commandType,
            contentType: "application/json",
            messageID: "load-\(run)-\(correlation)",
            correlationID: CorrelationID(String(correlation)),
            replyTo: replyTo,
            headers: [
                HeaderName.paymentID: .string(id(of: payment).description),
                HeaderName.idempotencyKey: .string("load-\(run)-\(payment)-\(kind)"),
            ],
            body: kind == .authorize ? authorize(payment) : Array("{}".utf8)
        )
    }

    private func id(of payment: Int) -> UniqueID {
        UniqueID(
            high: run & 0xffff_ffff_ffff_0fff | 0x7000,
            low: 0x8000_0000_0000_0000 | UInt64(payment)
        )
    }

    private func authorize(_ payment: Int) -> [UInt8] {
        Array(
            """
            {"order_id":"o-\(payment)","customer_id":"c-\(payment % customers)","amount":100,"card":{"number":\
            "4111111111111111","cvv":"123","expiry_month":12,"expiry_year":2030}}
            """.utf8
        )
    }
}
