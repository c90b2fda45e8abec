/// A command that has been put off before it had an operation of its own: on a retry tier, because another command of its payment is
/// under way, its authorize is not known yet, or the bank is unavailable.
///
/// The store keeps them in the order of their arrival, so that a later command of the payment does not overtake one that waits,
/// whatever made it wait and whoever looks at it next (docs/correctness.md#overtaking).
package struct WaitingCommand: Hashable, Sendable {
    package let merchantID: MerchantID
    package let idempotencyKey: IdempotencyKey
    package let kind: OperationKind
    /// Each copy of a command has a place; the first of them counts for its key.
    package let messageID: String
    /// Goes up with every arrival.
    package let position: Int64

    package init(
        merchantID: MerchantID,
        idempotencyKey: IdempotencyKey,
        kind: OperationKind,
        messageID: String,
        position: Int64
    ) {
        self.merchantID = merchantID
        self.idempotencyKey = idempotencyKey
        self.kind = kind
        self.messageID = messageID
        self.position = position
    }

    /// A place for a command.
    package init(_ command: Command, position: Int64) {
        self.init(
            merchantID: command.merchantID,
            idempotencyKey: command.idempotencyKey,
            kind: command.kind,
            messageID: command.messageID,
            position: position
        )
    }

    /// Whether it is of the command's key.
    package func hasKey(of command: Command) -> Bool {
        merchantID == command.merchantID && idempotencyKey == command.idempotencyKey
    }

    /// Whether it is of this very message.
    package func isOf(_ command: Command) -> Bool {
        hasKey(of: command) && messageID.utf8.elementsEqual(command.messageID.utf8)
    }
}

/// Why a command waits. Raw values are codes for the log.
package enum WaitReason: String, Hashable, Sendable, CaseIterable {
    /// Another command of its payment is under way.
    case paymentInProgress = "payment_in_progress"
    /// One that arrived before it waits.
    case earlierCommand = "earlier_command_waits"
    /// There is no such payment yet; its authorize may be on its way.
    case authorizeUnknown = "authorize_not_known"
}
