import Core
import PaymentCommands

extension OutgoingCommand {
    init(kind: OperationKind, paymentID: String?, options: SendingOptions, deadline: Timestamp?, body: JSONValue) {
        self.init(
            kind: kind,
            paymentID: paymentID,
            idempotencyKey: options.idempotencyKey,
            merchantID: options.merchantID,
            deadline: deadline,
            body: body
        )
    }
}
