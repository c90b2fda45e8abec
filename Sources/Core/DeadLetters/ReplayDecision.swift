/// What the replay of one dead letter does, given the rows that it found under lock. Shared by every store.
package struct ReplayDecision: Hashable, Sendable {
    package let step: ReplayStep
    /// The dead letter as it is from now on; `nil` where nothing is written.
    package let deadLetter: DeadLetter?
    /// The operation, reopened, with the lease that is over at once, and what the payment's history says of it.
    package let reopened: Operation?

    /// - Parameters:
    ///   - deadLetter: as it is in the store.
    ///   - operation: the one under the merchant and key of the dead letter.
    ///   - claim: whose decision it is; `nil` where nothing is claimed.
    ///   - now: the store's clock.
    package init(_ deadLetter: DeadLetter, operation: Operation?, claim: ReplayClaim? = nil, now: Timestamp) {
        let deadLetter = deadLetter.seen(at: now)
        switch deadLetter.state {
        case .replayed:
            let isOwn = claim != nil && claim?.replay == deadLetter.claim?.claim.replay
            self.init(isOwn ? .ended : .skip(.alreadyReplayed))
        case .replaying where claim == nil || claim != deadLetter.claim?.claim:
            self.init(.held(remaining: deadLetter.claim.map { now.duration(to: $0.until) } ?? .zero))
        case .discarded: self.init(.skip(.discarded))
        case .open, .replaying:
            let own = operation.flatMap { Self.isOwn($0, deadLetter) ? $0 : nil }
            if deadLetter.content.isReplayable {
                self = Self.publish(Self.claimed(deadLetter, claim, now), own, now)
            } else if let own, own.state.isFinal, own.fingerprint == deadLetter.command.fingerprint {
                let deadLetter = Self.claimed(deadLetter, claim, now)
                self.init(.answer(deadLetter, own), deadLetter: deadLetter)
            } else {
                self.init(.skip(deadLetter.content.card == nil ? .incomplete : .cardReduced))
            }
        }
    }

    private init(_ step: ReplayStep, deadLetter: DeadLetter? = nil, reopened: Operation? = nil) {
        self.step = step
        self.deadLetter = deadLetter
        self.reopened = reopened
    }

    /// An operation that waits for manual review gets its attempts anew: without that, the copy would only hear
    /// `unknown` again.
    private static func publish(_ deadLetter: DeadLetter, _ operation: Operation?, _ now: Timestamp) -> ReplayDecision {
        // Taken up again after a crash: what the replay before has reopened may have failed again since.
        let reopened = deadLetter.reopenedFencingToken
        var deadLetter = deadLetter
        guard var operation, operation.state == .needsAttention,
            reopened ?? operation.fencingToken == operation.fencingToken
        else {
            return ReplayDecision(.publish(deadLetter), deadLetter: deadLetter)
        }
        deadLetter.reopenedFencingToken = operation.fencingToken
        operation.state = .unknown
        operation.leaseUntil = now
        operation.attempts = 0
        return ReplayDecision(.publish(deadLetter), deadLetter: deadLetter, reopened: operation)
    }

    private static func claimed(_ deadLetter: DeadLetter, _ claim: ReplayClaim?, _ now: Timestamp) -> DeadLetter {
        var deadLetter = deadLetter
        deadLetter.state = .replaying
        deadLetter.claim = claim.map { DeadLetterClaim($0, until: now.advanced(by: ReplayClaim.lease)) }
        return deadLetter
    }

    /// A key may have been used for another command: that one's operation is none of this dead letter's business.
    private static func isOwn(_ operation: Operation, _ deadLetter: DeadLetter) -> Bool {
        operation.paymentID == deadLetter.command.paymentID && operation.kind == deadLetter.command.kind
    }
}

/// The next step of a replay; what publishes something is stored first.
package enum ReplayStep: Hashable, Sendable {
    /// Publish the dead letter's copy.
    case publish(DeadLetter)
    /// The card is gone, but the command has been completed: publish its stored reply.
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
    /// Certainly not published: the dead letter is open again.
    case notPublished(reason: String)
    /// It may have been published: the dead letter is open again, and what this replay has reopened stays known.
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

    /// The dead letter as it is afterwards.
    package func applied(to deadLetter: DeadLetter, at now: Timestamp) -> DeadLetter {
        var deadLetter = deadLetter
        switch self {
        case .replayed:
            deadLetter.state = .replayed
            // The copy has it; if that fails again, its dead letter does.
            deadLetter.eraseSealedCard()
        case .notPublished:
            deadLetter.state = .open
            deadLetter.reopenedFencingToken = nil
            deadLetter.claim = nil
        case .unknown:
            // Its claim is over at once.
            deadLetter.claim = deadLetter.claim.map { DeadLetterClaim($0.claim, until: now) }
        }
        return deadLetter
    }
}

package enum DiscardOutcome: Hashable, Sendable {
    /// Off the list. `leaving`: its command's operation is in `NEEDS_ATTENTION` still, for discarding a dead letter
    /// ends none.
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
    ///   - deadLetter: as it is in the store.
    ///   - operation: the one that is the dead letter's own.
    package init(discarding deadLetter: DeadLetter, operation: Operation?) {
        self = deadLetter.state.mayBecome(.discarded) ? .leaving(deadLetter, operation) : .refused(deadLetter.state)
    }

    private static func leaving(_ deadLetter: DeadLetter, _ operation: Operation?) -> DiscardOutcome {
        .discarded(leaving: operation?.state == .needsAttention ? deadLetter.command : nil)
    }
}
