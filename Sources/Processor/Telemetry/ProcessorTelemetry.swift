import Core
import CoreMetrics
import Logging

/// Turns what the processor does into one log line per command and into metrics.
struct ProcessorTelemetry: ProcessorObserver {
    private let logger: Logger
    private let metrics: ProcessorMetrics
    private let readiness: Readiness
    private let throttle: WarningThrottle
    private let outages: OutageLog
    private let trouble: BankFailureWords?
    private let links: OutageLog

    /// - Parameters:
    ///   - trouble: knows in words why the bank could not be asked.
    ///   - links: knows whether the database is unavailable, which the log says by itself.
    init(
        logger: Logger,
        metrics: ProcessorMetrics,
        readiness: Readiness,
        time: any TimeSource,
        trouble: BankFailureWords? = nil,
        links: OutageLog = OutageLog()
    ) {
        self.logger = logger
        self.metrics = metrics
        self.readiness = readiness
        throttle = WarningThrottle(time: time)
        outages = OutageLog(time: time)
        self.trouble = trouble
        self.links = links
    }

    func observe(_ event: ProcessorEvent) {
        switch event {
        case .handled(let command, let disposition, let duration): handled(command, disposition, duration)
        case .rejectedInvalid(let command): rejected(command)
        case .unanswerable(let problem, let identity): unanswerable(problem, identity)
        case .bankAnswered(let kind, let verdict, let identity): bankAnswered(kind, verdict, identity)
        case .possibleOrphan(let identity, .suspected):
            metrics.possibleOrphans.increment()
            log(.warning, "authorization may have left a second hold at the bank", identity)
        case .possibleOrphan(let identity, .unlikely):
            log(.debug, "authorization was answered with errors before: a second hold is unlikely", identity)
        case .storeRegressed(let identity):
            metrics.storeRegressions.increment()
            log(.error, "the bank had executed what this database knows nothing of: it has lost commits", identity)
        case .needsAttention(let identity, let reason):
            metrics.needsAttention.increment()
            log(.error, "operation needs manual review", identity, reason: reason)
        case .superseded(let identity):
            log(.notice, "operation was taken over by another attempt", identity)
        case .takenOverOnProof(let identity):
            log(.notice, "the bank has executed what another processor had sent, which did not complete it", identity)
        case .replyUndeliverable(let replyTo, let identity):
            metrics.repliesUndeliverable.increment()
            report("reply could not be routed", identity, replyTo: replyTo)
        // Its queue is named by who finds it full or silent.
        case .replyPostponed: metrics.repliesPostponed.increment()
        case .replyAddressIgnored(let identity): report("reply_to is not allowed and was ignored", identity)
        case .eventsPostponed(let count):
            metrics.eventsPostponed.increment(by: count)
            let reason = "a listener's queue is full, or the exchange cannot be used"
            warn("events", "events were not taken and wait in the outbox", .reason, reason)
        case .deadLetterKept(let deadLetter): kept(deadLetter)
        case .deadLetterSentBack(let deadLetter, let tier): kept(deadLetter, sentBackBy: tier)
        case .unroutedSentBack(let identity):
            let message = "no command queue is bound for a message, which is tried again"
            warn("unrouted", message, .tier, "5s", identity)
        case .storeFailed(let error) where error.code == .unavailable && links.isOn(ReadOnlySpell.outage): break
        case .storeFailed(let error):
            warn("store \(error.code.rawValue)", "store failed", .error, error.description)
        case .publishFailed(let problem):
            warn("publish", "publish failed", .error, problem)
        case .breakerChanged(let condition, let cause):
            breakerChanged(condition, cause)
        case .commandsTakenAgain: readiness.setGivenBack(false)
        case .commandsGivenBack:
            readiness.setGivenBack(true)
            warn(
                "given back",
                "no commands are taken: those without a place go back to the broker",
                .reason,
                "store_unavailable"
            )
        case .membersChanged(let count, let owned):
            metrics.setPartitionsOwned(owned.count)
            readiness.setMembers(Readiness.Members(count: count, owned: owned))
            let partitions = owned.map(String.init).joined(separator: " ")
            logger.info("processors changed", metadata: ["members": "\(count)", "partitions": "\(partitions)"])
        case .swept(let job, let report, let duration): swept(job, report, duration)
        case .sweepFailed(let job, let error):
            metrics.countSweep(job, .failed)
            warn("sweep \(job.rawValue)", "sweep failed", .error, error.description)
        case .tickUnreadable:
            warn("tick", "a message on the queue of the sweeps is no tick and was dropped", .reason, "unreadable")
        case .expired(let payment):
            guard logger.logLevel <= .info else { return }
            var fields = LogFields()
            fields.set(.paymentID, payment)
            logger.info("authorization expired", metadata: fields.metadata)
        }
    }

    // MARK: One line per command

    private func handled(_ command: Command, _ disposition: Disposition, _ duration: Duration) {
        let outcome = CommandOutcome(disposition)
        metrics.countCommand(command.kind, outcome)
        metrics.recordDuration(command.kind, duration)
        let code = disposition.errorCode
        if let code { metrics.countError(command.kind, outcome, code) }
        if let reason = disposition.deferral { metrics.countDeferral(command.kind, reason) }
        guard logger.logLevel <= .info else { return }
        var fields = LogFields()
        fields.set(CommandIdentity(command))
        fields.set(.outcome, outcome.rawValue)
        fields.set(.duration, Self.milliseconds(duration))
        fields.set(.code, foreign: code)
        switch disposition {
        case .reply: break
        case .requeue: fields.set(.reason, disposition.deferral)
        case .deferred(let tier, let reason, _, _):
            fields.set(.tier, tier.rawValue)
            fields.set(.reason, foreign: reason)
        case .deadLetter(_, let reason, _, _, _):
            fields.set(.reason, foreign: reason)
        }
        logger.info("command", metadata: fields.metadata)
    }

    /// Its dead letter is one that nobody was notified of: the sender does not know.
    private func unanswerable(_ problem: InvalidField, _ identity: CommandIdentity) {
        metrics.countUnanswerable()
        guard logger.logLevel <= .info else { return }
        var fields = LogFields()
        fields.set(identity)
        fields.set(.operation, "unknown")
        fields.set(.outcome, CommandOutcome.deadLettered.rawValue)
        fields.set(.code, RejectionCode.invalidCommand.rawValue)
        fields.set(.reason, problem)
        logger.info("command", metadata: fields.metadata)
    }

    private func rejected(_ command: InvalidCommand) {
        metrics.countCommand(command.kind, .rejected)
        metrics.countError(command.kind, .rejected, RejectionCode.invalidCommand.rawValue)
        guard logger.logLevel <= .info else { return }
        var fields = LogFields()
        fields.set(CommandIdentity(command))
        fields.set(.outcome, CommandOutcome.rejected.rawValue)
        fields.set(.code, RejectionCode.invalidCommand.rawValue)
        fields.set(.reason, command.problem)
        logger.info("command", metadata: fields.metadata)
    }

    /// Of each message: its sender waits for a reply where there is none.
    private func report(_ message: Logger.Message, _ identity: CommandIdentity, replyTo: String? = nil) {
        var fields = LogFields()
        fields.set(identity)
        fields.set(.replyTo, replyTo ?? "default")
        logger.warning(message, metadata: fields.metadata)
    }

    // MARK: Dead letters

    /// The texts are the dead letter's, which holds no card data.
    private func kept(_ deadLetter: DeadLetter, sentBackBy tier: RetryTier? = nil) {
        var fields = LogFields()
        fields.set(.deadLetterID, tier == nil ? deadLetter.id : nil)
        fields.set(.code, foreign: deadLetter.failure.code)
        fields.set(.reason, foreign: deadLetter.failure.message)
        fields.set(CommandIdentity(deadLetter))
        fields.set(.tier, tier?.rawValue)
        if tier == nil {
            logger.notice("dead letter kept", metadata: fields.metadata)
        } else {
            logger.warning("message was delivered too often and goes back alone", metadata: fields.metadata)
        }
    }

    // MARK: The rest

    /// A line for every run that found something.
    private func swept(_ job: SweepJob, _ report: SweepReport, _ duration: Duration) {
        metrics.countSweep(job, .done)
        metrics.countSwept(job, report)
        let level: Logger.Level = report.examined > 0 ? .info : .debug
        guard logger.logLevel <= level else { return }
        var fields = LogFields()
        fields.set(.job, job.rawValue)
        fields.set(.examined, report.examined)
        fields.set(.resolved, report.resolved)
        fields.set(.waiting, report.waiting)
        fields.set(.needsAttention, report.needsAttention)
        fields.set(.duration, Self.milliseconds(duration))
        logger.log(level: level, "swept", metadata: fields.metadata)
    }

    private func bankAnswered(_ kind: OperationKind, _ verdict: Verdict, _ identity: CommandIdentity) {
        let label = BankCallVerdict(verdict)
        metrics.countBankCall(kind, label)
        guard logger.logLevel <= .debug else { return }
        var fields = LogFields()
        fields.set(identity)
        fields.set(.verdict, label.rawValue)
        logger.debug("bank answered", metadata: fields.metadata)
    }

    private func breakerChanged(_ condition: BreakerCondition, _ cause: String?) {
        readiness.setBank(condition)
        metrics.setBreakerOpen(condition != .closed)
        switch condition {
        case .open:
            var fields = LogFields()
            fields.set(.reason, cause)
            fields.set(.error, trouble?.words(for: cause))
            let level: Logger.Level = outages.began("bank") ? .error : .debug
            logger.log(level: level, "the bank is unavailable: no commands are taken", metadata: fields.metadata)
        case .halfOpen:
            let level: Logger.Level = outages.began("trying the bank") ? .notice : .debug
            logger.log(level: level, "one command finds out whether the bank is available again")
        case .closed:
            var fields = LogFields()
            _ = outages.ended("trying the bank")
            fields.set(.unavailableFor, outages.ended("bank")?.inWords)
            logger.notice("the bank is available: commands are taken", metadata: fields.metadata)
        }
    }

    private func log(
        _ level: Logger.Level,
        _ message: Logger.Message,
        _ identity: CommandIdentity,
        reason: String? = nil
    ) {
        guard logger.logLevel <= level else { return }
        var fields = LogFields()
        fields.set(identity)
        fields.set(.reason, foreign: reason)
        logger.log(level: level, message, metadata: fields.metadata)
    }

    /// What can come with every message while something is down.
    private func warn(
        _ kind: String,
        _ message: String,
        _ key: LogKey,
        _ value: String,
        _ identity: CommandIdentity = CommandIdentity()
    ) {
        throttle.occurred(kind) { [logger] report in
            var fields = LogFields()
            switch report {
            case .first:
                fields.set(identity)
                fields.set(key, foreign: value)
                logger.warning("\(message)", metadata: fields.metadata)
            case .repeated(let count):
                fields.set(.count, count)
                logger.warning("\(message), again", metadata: fields.metadata)
            }
        }
    }

    /// Rounded down to a tenth.
    private static func milliseconds(_ duration: Duration) -> String {
        let tenths = duration.microseconds / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}
