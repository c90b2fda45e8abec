import Core
import PaymentCommands

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
