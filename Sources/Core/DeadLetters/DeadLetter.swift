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

/// Names a dead letter. Ours, a UUIDv7.
package struct DeadLetterID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: UniqueID

    package init(_ value: UniqueID) {
        self.value = value
    }

    package init?(_ text: String) {
        guard let value = UniqueID(text) else { return nil }
        self.value = value
    }

    package var description: String { value.description }

    package static func < (left: DeadLetterID, right: DeadLetterID) -> Bool { left.value < right.value }
}

/// How far a dead letter got. Raw values are the names in the store and in the listings
/// (docs/contract.md#command-line).
package enum DeadLetterState: String, Sendable, CaseIterable {
    /// Nobody has dealt with it.
    case open
    /// A replay has claimed it, and has not been seen to end. When its lease is over, the dead letter is open again.
    case replaying
    case replayed
    case discarded

    /// Nothing will become of it any more.
    package var isClosed: Bool {
        switch self {
        case .open, .replaying: false
        case .replayed, .discarded: true
        }
    }

    /// Not closed.
    package static let unfinished: Set<DeadLetterState> = [.open, .replaying]

    /// The state machine. A replay that certainly did not happen gives the dead letter back.
    package func mayBecome(_ next: DeadLetterState) -> Bool {
        switch (self, next) {
        case (.open, .replaying), (.open, .discarded), (.replaying, .replaying), (.replaying, .replayed),
            (.replaying, .open):
            true
        default: false
        }
    }
}

/// Why a message is a dead letter.
package struct DeadLetterFailure: Hashable, Sendable {
    /// A `DeadLetterCode`; dead letters of an earlier version may have another one.
    package let code: String
    /// For an operator. Never holds a value of the message.
    package let message: String
    package let source: Source
    package let at: Timestamp

    /// Who gave it up. Raw values are the names in the store and in the listings.
    package enum Source: String, Sendable, CaseIterable {
        case processor, broker
    }

    package static let deliveryLimit = DeadLetterCode.deliveryLimit.rawValue
    /// The processor could not publish what was to become of it.
    package static let unpublishable = DeadLetterCode.unpublishable.rawValue
    package static let unrouted = DeadLetterCode.unrouted.rawValue
    package static let needsAttention = DeadLetterCode.needsAttention.rawValue

    package init(code: String, message: String, source: Source, at: Timestamp) {
        self.code = code
        self.message = message
        self.source = source
        self.at = at
    }
}

/// Why a message became a dead letter, in one word. Raw values are the names in the store, in filters and in the documentation.
package enum DeadLetterCode: String, Sendable, CaseIterable {
    /// It can be answered to nobody.
    case invalidCommand = "invalid_command"
    /// Its operation is in manual review.
    case needsAttention = "needs_attention"
    /// The broker gave it up after too many deliveries.
    case deliveryLimit = "delivery_limit"
    /// No command queue was bound.
    case unrouted
    /// What was to become of it could not be published.
    case unpublishable
    /// The database refused to write about it.
    case storeRefused = "store_refused"
    /// The database holds something that cannot be read.
    case storeUnreadable = "store_unreadable"
    /// Its time at the broker was over.
    case expired
    /// A policy limits the length of its queue.
    case maxlen
    /// It does not say, or the broker gave it up for a reason that is none of these.
    case unknown

    /// All of them, for a sentence.
    package static let names = allCases.map(\.rawValue).joined(separator: ", ")
}

/// How a message came to the dead letters.
package enum DeadLetterOrigin: Hashable, Sendable {
    /// The processor published it, with the reason in its headers.
    case processor
    /// A queue gave it up.
    ///
    /// - `reason`: the broker's word, such as `delivery_limit`.
    /// - `occurrence`: tells this time from another time that the same message was given up.
    case broker(reason: String, occurrence: String, at: Timestamp?)
    /// No command queue was bound when it was published, or came back from a retry tier.
    case unrouted

    /// Whether its time ran out in a command queue.
    var isExpiry: Bool {
        guard case .broker("expired", _, _) = self else { return false }
        return true
    }
}

/// A message from the dead letters.
package protocol DeadLetterDelivery: Delivery {
    var origin: DeadLetterOrigin { get }
}
