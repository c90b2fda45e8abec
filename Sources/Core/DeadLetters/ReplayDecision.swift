/// What the replay of one dead letter does, given the rows that it found under lock. Shared by every store.
package struct ReplayDecision: Hashable, Sendable {
    package let step: ReplayStep
    /// The letter as it is from now on; `nil` where nothing is written.
    package let letter: DeadLetter?
    /// The operation, reopened, with the lease that is over at once, and what the payment's history says of it.
    package let reopened: Operation?

    /// - Parameters:
    ///   - letter: as it is in the store.
    ///   - operation: the one under the merchant and key of the letter.
    ///   - now: the store's clock.
    package init(_ letter: DeadLetter, operation: Operation?, now: Timestamp) {
        switch letter.state {
        case .replayed: self.init(.skip(.alreadyReplayed))
        case .discarded: self.init(.skip(.discarded))
        case .open, .replaying:
            let own = operation.flatMap { Self.isOwn($0, letter) ? $0 : nil }
            if letter.content.isReplayable {
                self = Self.publish(letter, own, now)
            } else if let own, own.state.isFinal, own.fingerprint == letter.command.fingerprint {
                self.init(.answer(Self.replaying(letter), own), letter: Self.replaying(letter))
            } else {
                self.init(.skip(letter.content.card == nil ? .incomplete : .cardReduced))
            }
        }
    }

    private init(_ step: ReplayStep, letter: DeadLetter? = nil, reopened: Operation? = nil) {
        self.step = step
        self.letter = letter
        self.reopened = reopened
    }

    /// An operation that waits for a person gets its attempts anew: without that, the copy would only hear `unknown` again.
    private static func publish(_ letter: DeadLetter, _ operation: Operation?, _ now: Timestamp) -> ReplayDecision {
        // Taken up again after a crash: what this replay has reopened before may have failed again since.
        let reopened = letter.state == .replaying ? letter.reopenedFence : nil
        var letter = replaying(letter)
        guard var operation, operation.state == .needsAttention, reopened ?? operation.fence == operation.fence else {
            return ReplayDecision(.publish(letter), letter: letter)
        }
        letter.reopenedFence = operation.fence
        operation.state = .unknown
        operation.leaseUntil = now
        operation.attempts = 0
        return ReplayDecision(.publish(letter), letter: letter, reopened: operation)
    }

    private static func replaying(_ letter: DeadLetter) -> DeadLetter {
        var letter = letter
        letter.state = .replaying
        return letter
    }

    /// A key may have been used for another command: that one's operation is none of this letter's business.
    private static func isOwn(_ operation: Operation, _ letter: DeadLetter) -> Bool {
        operation.paymentID == letter.command.paymentID && operation.kind == letter.command.kind
    }
}

/// The next step of a replay; all but `skip` is stored.
package enum ReplayStep: Hashable, Sendable {
    /// Publish the letter's copy.
    case publish(DeadLetter)
    /// The card is gone, but the command has been settled: publish its stored reply.
    case answer(DeadLetter, Operation)
    case skip(ReplaySkip)
}

/// Why a dead letter is not replayed.
package enum ReplaySkip: String, Sendable, CaseIterable {
    case notFound = "not_found"
    case alreadyReplayed = "already_replayed"
    case discarded
    case cardReduced = "card_reduced"
    case incomplete

    /// Completes the sentence "<id>: …".
    package var explanation: String {
        switch self {
        case .notFound: "there is no such dead letter"
        case .alreadyReplayed: "replayed already"
        case .discarded: "discarded already"
        case .cardReduced:
            "cannot be replayed: its card was reduced to BIN and last four; ask the sender to send the command again"
        case .incomplete:
            "cannot be replayed: what could have been card data was taken out of it; ask the sender to send it again"
        }
    }

    /// What was asked for has been so already.
    package var isHarmless: Bool { self == .alreadyReplayed }
}

/// How the replay of one dead letter ended.
package enum ReplayEnd: Hashable, Sendable {
    case replayed
    /// Certainly not published: the letter is open again.
    case notPublished(reason: String)
    /// It may have been published: the letter stays `replaying`, for the next replay to take up.
    case unknown(reason: String)

    /// The name in the audit.
    package var name: String {
        switch self {
        case .replayed: "replayed"
        case .notPublished, .unknown: "failed"
        }
    }

    package var reason: String? {
        switch self {
        case .replayed: nil
        case .notPublished(let reason), .unknown(let reason): reason
        }
    }

    package var state: DeadLetterState {
        switch self {
        case .replayed: .replayed
        case .notPublished: .open
        case .unknown: .replaying
        }
    }
}

package enum DiscardOutcome: Hashable, Sendable {
    /// Off the list. `leaving`: its command's operation is in `NEEDS_ATTENTION` still, for discarding a letter ends none.
    case discarded(leaving: DeadLetterCommand?)
    case notFound
    /// It is in this state, in which it cannot be discarded.
    case refused(DeadLetterState)

    /// Completes the sentence "<id>: …"; `nil` where it was done.
    package var explanation: String? {
        switch self {
        case .discarded: nil
        case .notFound: ReplaySkip.notFound.explanation
        case .refused(.replaying): "is being replayed; run the replay again to end it"
        case .refused(let state): "is \(state.rawValue) already"
        }
    }

    package var isHarmless: Bool { self == .refused(.discarded) }

    /// What a discard comes to, and what it leaves.
    ///
    /// - Parameters:
    ///   - letter: as it is in the store.
    ///   - operation: the one that is the letter's own.
    package init(discarding letter: DeadLetter, operation: Operation?) {
        self = letter.state.mayBecome(.discarded) ? .leaving(letter, operation) : .refused(letter.state)
    }

    private static func leaving(_ letter: DeadLetter, _ operation: Operation?) -> DiscardOutcome {
        .discarded(leaving: operation?.state == .needsAttention ? letter.command : nil)
    }
}
