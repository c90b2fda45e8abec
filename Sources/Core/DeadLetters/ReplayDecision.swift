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
    ///   - claim: whose decision it is; `nil` where nothing is claimed.
    ///   - now: the store's clock.
    package init(_ letter: DeadLetter, operation: Operation?, claim: ReplayClaim? = nil, now: Timestamp) {
        let letter = letter.seen(at: now)
        switch letter.state {
        case .replayed:
            let isOwn = claim != nil && claim?.replay == letter.claim?.claim.replay
            self.init(isOwn ? .ended : .skip(.alreadyReplayed))
        case .replaying where claim == nil || claim != letter.claim?.claim:
            self.init(.held(remaining: letter.claim.map { now.duration(to: $0.until) } ?? .zero))
        case .discarded: self.init(.skip(.discarded))
        case .open, .replaying:
            let own = operation.flatMap { Self.isOwn($0, letter) ? $0 : nil }
            if letter.content.isReplayable {
                self = Self.publish(Self.claimed(letter, claim, now), own, now)
            } else if let own, own.state.isFinal, own.fingerprint == letter.command.fingerprint {
                let letter = Self.claimed(letter, claim, now)
                self.init(.answer(letter, own), letter: letter)
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
        // Taken up again after a crash: what the replay before has reopened may have failed again since.
        let reopened = letter.reopenedFence
        var letter = letter
        guard var operation, operation.state == .needsAttention, reopened ?? operation.fence == operation.fence else {
            return ReplayDecision(.publish(letter), letter: letter)
        }
        letter.reopenedFence = operation.fence
        operation.state = .unknown
        operation.leaseUntil = now
        operation.attempts = 0
        return ReplayDecision(.publish(letter), letter: letter, reopened: operation)
    }

    private static func claimed(_ letter: DeadLetter, _ claim: ReplayClaim?, _ now: Timestamp) -> DeadLetter {
        var letter = letter
        letter.state = .replaying
        letter.claim = claim.map { LetterClaim($0, until: now.advanced(by: ReplayClaim.lease)) }
        return letter
    }

    /// A key may have been used for another command: that one's operation is none of this letter's business.
    private static func isOwn(_ operation: Operation, _ letter: DeadLetter) -> Bool {
        operation.paymentID == letter.command.paymentID && operation.kind == letter.command.kind
    }
}

/// The next step of a replay; what publishes something is stored first.
package enum ReplayStep: Hashable, Sendable {
    /// Publish the letter's copy.
    case publish(DeadLetter)
    /// The card is gone, but the command has been settled: publish its stored reply.
    case answer(DeadLetter, Operation)
    /// Another replay has claimed it, or this one before it was taken up again: its lease runs for so long still.
    case held(remaining: Duration)
    /// This replay has ended it already, before it was cut off.
    case ended
    case skip(ReplaySkip)
}

/// Why a dead letter is not replayed.
package enum ReplaySkip: String, Sendable, CaseIterable {
    case notFound = "not_found"
    case alreadyReplayed = "already_replayed"
    case discarded
    case cardReduced = "card_reduced"
    case incomplete
    case held

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
        case .held: "is being replayed by another replay"
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
    /// It may have been published: the letter is open again, and what this replay has reopened stays known.
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

    /// The letter as it is afterwards.
    package func applied(to letter: DeadLetter, at now: Timestamp) -> DeadLetter {
        var letter = letter
        switch self {
        case .replayed:
            letter.state = .replayed
        case .notPublished:
            letter.state = .open
            letter.reopenedFence = nil
            letter.claim = nil
        case .unknown:
            // Its claim is over at once.
            letter.claim = letter.claim.map { LetterClaim($0.claim, until: now) }
        }
        return letter
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
        case .refused(.replaying): "is being replayed; `processor dead-letters replays` shows by which replay"
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
