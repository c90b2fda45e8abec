/// A message that could not be dealt with, kept for an operator: without card data, and with all that it takes to
/// publish it again.
package struct DeadLetter: Hashable, Sendable {
    package let id: DeadLetterID
    /// The same for every copy of one failure: the store keeps one row for it.
    package let instance: FailureInstance
    package let failure: DeadLetterFailure
    package let command: DeadLetterCommand
    /// The message without card data and without what must not travel (docs/correctness.md#copied-headers).
    package private(set) var content: ReducedMessage
    /// The dead letter whose replay has failed again.
    package let replayOf: DeadLetterID?
    package var state: DeadLetterState
    /// The fencing token of the operation that the replay under way, or the last one that was cut off, has reopened.
    package var reopenedFencingToken: Int64?
    /// Of the replay under way, or of the one that has ended it.
    package var claim: DeadLetterClaim?

    package init(
        id: DeadLetterID,
        instance: FailureInstance,
        failure: DeadLetterFailure,
        command: DeadLetterCommand,
        content: ReducedMessage,
        replayOf: DeadLetterID?,
        state: DeadLetterState = .open,
        reopenedFencingToken: Int64? = nil,
        claim: DeadLetterClaim? = nil
    ) {
        self.id = id
        self.instance = instance
        self.failure = failure
        self.command = command
        self.content = content
        self.replayOf = replayOf
        self.state = state
        self.reopenedFencingToken = reopenedFencingToken
        self.claim = claim
    }

    /// Whether it is still this claim's, its lease over or not: nobody else has taken it up since.
    package func isClaimed(by claim: ReplayClaim) -> Bool { state == .replaying && self.claim?.claim == claim }

    /// As it is at this moment of the store's clock: open again where whoever was replaying it is gone.
    package func seen(at now: Timestamp) -> DeadLetter {
        guard state == .replaying, (claim?.until ?? now) <= now else { return self }
        var deadLetter = self
        deadLetter.state = .open
        deadLetter.claim = nil
        return deadLetter
    }

    /// The copy that a replay publishes: message id and key as they were, and where it comes from.
    package var replayCopy: Message {
        var copy = content.copy
        copy.headers[HeaderName.replayOf] = .string(id.description)
        return copy
    }

    package mutating func eraseSealedCard() { content.eraseSealedCard() }

    /// With nothing in it but the failure and the command: for a store that refuses the whole.
    package var bare: DeadLetter {
        DeadLetter(
            id: id,
            instance: instance,
            failure: failure,
            command: DeadLetterCommand(kind: command.kind, paymentID: command.paymentID),
            content: .nothing,
            replayOf: nil
        )
    }
}

/// Names one failure of one message, whatever number of copies of its dead letter there are.
package struct FailureInstance: Hashable, Sendable {
    /// 32 bytes: a keyed digest, because what it is made of may hold card data.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// What a dead letter asked for, as far as its headers tell.
package struct DeadLetterCommand: Hashable, Sendable {
    package let kind: OperationKind?
    package let paymentID: PaymentID?
    package let merchantID: MerchantID?
    package let idempotencyKey: IdempotencyKey?
    /// Of an authorize that was valid: tells whether an operation is its own after the card has been reduced.
    package let fingerprint: Fingerprint?

    package init(
        kind: OperationKind? = nil,
        paymentID: PaymentID? = nil,
        merchantID: MerchantID? = nil,
        idempotencyKey: IdempotencyKey? = nil,
        fingerprint: Fingerprint? = nil
    ) {
        self.kind = kind
        self.paymentID = paymentID
        self.merchantID = merchantID
        self.idempotencyKey = idempotencyKey
        self.fingerprint = fingerprint
    }
}

extension DeadLetter {
    /// Whether its message is one of the operation's, which has ended: its sender can be told how. Not where whoever ended the operation
    /// has answered there: at the address of its first message.
    package func isAnswered(by operation: Operation?) -> Bool {
        guard let operation, operation.state.isFinal,
            replyRoute.addressDigest != operation.route.addressDigest
        else { return false }
        // One that was given up in manual review was found to be the operation's then. Of the others only an authorize has a fingerprint.
        return failure.code == DeadLetterFailure.needsAttention || command.fingerprint == operation.fingerprint
    }

    /// Where its sender wants its reply.
    package var replyRoute: ReplyRoute { EnvelopeDecoder.route(content.message) }
}
