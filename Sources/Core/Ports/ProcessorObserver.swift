/// What the processor does, told as it happens, for logs and metrics. Core itself writes neither.
package protocol ProcessorObserver: Sendable {
    func observe(_ event: ProcessorEvent)
}

package enum ProcessorEvent: Sendable {
    /// A command is done with, as far as this delivery goes.
    case handled(Command, Disposition, duration: Duration)
    /// An invalid command has been answered.
    case rejectedInvalid(InvalidCommand)
    /// A message that nobody can be notified of goes to the dead letters.
    case unanswerable(InvalidField, CommandIdentity)
    case bankAnswered(OperationKind, Verdict, CommandIdentity)
    case possibleOrphan(CommandIdentity, PossibleOrphan)
    /// The bank had executed what we took for a first send: the store has lost commits.
    case storeRegressed(CommandIdentity)
    case needsAttention(CommandIdentity, reason: String)
    /// Another attempt has taken the operation over while this one was at the bank.
    case superseded(CommandIdentity)
    /// The bank has executed what a lost processor had sent: completed before the lease is over.
    case takenOverOnProof(CommandIdentity)
    /// The message id is the reply's.
    case replyUndeliverable(replyTo: String?, CommandIdentity)
    /// A reply that its queue does not take or confirm: it comes again with its command.
    case replyPostponed(replyTo: String?)
    /// A command named a reply queue that is not allowed.
    case replyAddressIgnored(CommandIdentity)
    /// Events that the broker has not taken at once: they go by way of the outbox.
    case eventsPostponed(Int)
    /// A dead letter is kept for an operator.
    case deadLetterKept(DeadLetter)
    /// A message that was delivered too often goes back to the commands, alone.
    case deadLetterSentBack(DeadLetter, RetryTier)
    /// No command queue took a message: it is tried again.
    case unroutedSentBack(CommandIdentity)
    case storeFailed(StoreError)
    case publishFailed(String)
    /// The cause is that of the last failure: a code such as `http_401` or `connect_failed`.
    case breakerChanged(BreakerCondition, cause: String?)
    /// The store is unavailable: what was taken from the queues goes back, and nothing is taken until it is available.
    case commandsGivenBack
    /// The store is available again, and with it the command queues.
    case commandsTakenAgain
    /// Processors have come or gone: how many there are, and which partitions are this one's now.
    case membersChanged(Int, owned: [Int])
    case swept(SweepJob, SweepReport, duration: Duration)
    /// A sweep ended before it was through; the next slot goes on.
    case sweepFailed(SweepJob, StoreError)
    /// A message on the queue of the ticks that is none.
    case tickUnreadable
    /// An authorization has expired by the bank's clock.
    case expired(PaymentID)
}
