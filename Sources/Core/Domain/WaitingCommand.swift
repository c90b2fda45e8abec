import Crypto

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

/// The commands that wait before another one of their payment, each as it was looked at last: two marks are equal where none of those
/// commands has been looked at in between, nor gone. It compares times and never orders them, so a clock that is set changes nothing.
package struct LineMark: Hashable, Sendable {
    package let value: Int64

    package init(value: Int64) {
        self.value = value
    }

    /// - Parameter places: their positions, and when each was seen last; `nil` where there are none.
    package init?(_ places: [(position: Int64, seenAt: Timestamp)]) {
        if places.isEmpty { return nil }
        var hash = SHA256()
        for place in places.sorted(by: { $0.position < $1.position }) {
            for number in [place.position, place.seenAt.microseconds] {
                withUnsafeBytes(of: number.littleEndian) { hash.update(bufferPointer: $0) }
            }
        }
        value = hash.finalize().prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }
}
