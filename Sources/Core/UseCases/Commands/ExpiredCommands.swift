/// Answers commands that expired in a command queue before anybody handled them. Needs no bank, so that they are
/// answered while it is unavailable, too.
///
/// One whose operation is known goes on as it stands: it gets the stored reply, or goes back to the commands. For any other nothing is
/// begun any more.
struct ExpiredCommands: Sendable {
    private let context: ProcessorContext
    private let executor: DispositionExecutor
    private let decoder: CommandDecoder

    init(_ context: ProcessorContext, sink: any MessageSink) {
        self.context = context
        decoder = CommandDecoder(context.cards, context.merchants)
        executor = DispositionExecutor(context: context, sink: sink)
    }

    /// - Returns: how the message may end: `reject` where its answer or its copy can never be published.
    /// - Throws: when the process gives up waiting for the store or the broker: the message comes again.
    func answer(_ message: Message) async throws(CancellationError) -> DispositionExecutor.Ending {
        let started = context.time.uptime()
        let disposition: Disposition
        switch decoder.decode(message) {
        case .unanswerable(let problem):
            context.observer.observe(.unanswerable(problem, CommandIdentity(message, opening: context.cards)))
            disposition = .unanswerable(problem, instance: nil)
        case .answerable(let command):
            context.observer.observe(.rejectedInvalid(command))
            disposition = .reply(OutgoingReply(to: command), .rejected, completes: nil)
        case .command(let command):
            disposition = try await check(command, RetryState(message))
            context.observer.observe(.handled(command, disposition, duration: context.time.uptime() - started))
        }
        // A copy of it, should it need one, is still one that has expired.
        let copy = message.cleanCopy(adding: [HeaderName.expiredUnseen: .bool(true)])
        return try await executor.carryOut(disposition, of: copy)
    }

    private func check(_ command: Command, _ retry: RetryState) async throws(CancellationError) -> Disposition {
        let request = ClaimRequest(
            command: command,
            operationID: OperationID(context.random.identifier(at: context.time.now())),
            token: ClaimToken(context.random.identifier(at: context.time.now())),
            lease: context.limits.lease,
            expiry: .expiredAndOnlyChecking
        )
        switch try await outcome(of: request) {
        case .completed(let operation, _): return .answering(command, with: operation, isReplay: true)
        case .rejected(let code, let payment): return .rejecting(command, code, payment)
        // Known and open, or nobody knows: whoever goes to the bank sees to it.
        case .waitForKey, .wait, .needsAttention, .claimed, nil:
            return .deferred(.seconds5, reason: "expired", provisional: nil, retry.expired)
        }
    }

    /// However long the store is away: the queue keeps what is not acknowledged.
    ///
    /// - Returns: `nil` where the store refuses this very work.
    private func outcome(of request: ClaimRequest) async throws(CancellationError) -> ClaimOutcome? {
        for attempt in 0... {
            do throws(StoreError) {
                return try await context.store.claim(request)
            } catch {
                if Task.isCancelled { throw CancellationError() }
                context.observer.observe(.storeFailed(error))
                guard error.isRetriable else { return nil }
                try await context.time.sleep(
                    for: context.policy.backoff(attempt: attempt, random: context.random.next())
                )
            }
        }
        return nil
    }
}
