import Core
import Glibc
import HTTPClient
import Logging
import Testing

@testable import Processor

@Suite("What the processor logs and counts", .timeLimit(.minutes(1)))
struct ProcessorTelemetryTests {
    private let log: CapturedLog
    private let registry = PrometheusRegistry()
    private let time = ManualTime()
    private let readiness = Readiness()
    private let telemetry: ProcessorTelemetry

    init() throws {
        log = try CapturedLog()
        telemetry = ProcessorTelemetry(
            logger: log.logger,
            metrics: ProcessorMetrics(registry: registry),
            readiness: readiness,
            time: time
        )
    }

    private func hasSample(_ line: String) -> Bool { registry.text.split(separator: "\n").contains { $0 == line } }

    @Test("a command is one line at info, and counted")
    func handled() throws {
        let command = try Samples.authorize(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        let disposition = Disposition.reply(
            .unstored(Samples.reply(to: command), to: command),
            .succeeded,
            completes: nil
        )
        telemetry.observe(.handled(command, disposition, duration: .microseconds(12_345)))
        #expect(
            log.lines() == [
                "level=info logger=processor msg=command duration_ms=12.3 idempotency.key=\"key 1\" merchant.id=shop "
                    + "message.id=m-1 operation=authorize outcome=succeeded "
                    + "payment.id=00000000-0000-0000-0000-000000000001 "
                    + "trace.id=0af7651916cd43dd8448eb211c80319c"
            ]
        )
        #expect(hasSample("payments_commands_total{operation=\"authorize\",outcome=\"succeeded\"} 1"))
        #expect(hasSample("payments_command_duration_seconds_count{operation=\"authorize\"} 1"))
        #expect(hasSample("payments_command_duration_seconds_sum{operation=\"authorize\"} 0.012345"))
    }

    @Test(
        "deferred and dead-lettered commands say why",
        arguments: [
            (
                Disposition.deferred(.seconds30, reason: "bank_timeout", provisional: nil, RetryState()),
                "outcome=parked", "reason=bank_timeout tier=30s"
            ),
            (
                Disposition.deadLetter(code: "needs_attention", message: "echo differs", provisional: nil),
                "outcome=dead_lettered", "reason=\"echo differs\""
            ),
        ]
    )
    func reasons(disposition: Disposition, outcome: String, reason: String) throws {
        let command = try Samples.authorize()
        let code = disposition.errorCode.map { "code=\($0) " } ?? ""
        telemetry.observe(.handled(command, disposition, duration: .zero))
        #expect(
            log.lines() == [
                "level=info logger=processor msg=command \(code)duration_ms=0.0 idempotency.key=\"key 1\" merchant.id=shop "
                    + "message.id=m-1 operation=authorize \(outcome) "
                    + "payment.id=00000000-0000-0000-0000-000000000001 \(reason)"
            ]
        )
    }

    @Test("an invalid command is one line that names the field")
    func rejected() throws {
        let command = try Samples.invalidCommand()
        let problem = command.problem.problem
        telemetry.observe(.rejectedInvalid(command))
        #expect(
            log.lines() == [
                "level=info logger=processor msg=command code=invalid_command idempotency.key=key-1 merchant.id=default message.id=m-1 "
                    + "operation=capture outcome=rejected reason=\"payment-id: \(problem)\""
            ]
        )
        #expect(hasSample("payments_commands_total{operation=\"capture\",outcome=\"rejected\"} 1"))
    }

    @Test("no card number is logged, whoever's text it stands in")
    func cardData() throws {
        let number = "4111111111111111"
        let command = try Samples.authorize(card: number)
        let disposition = Disposition.deadLetter(code: "x", message: "bank echoed \(number)", provisional: nil)
        telemetry.observe(.handled(command, disposition, duration: .zero))
        telemetry.observe(.needsAttention(CommandIdentity(Samples.operation()), reason: "answer for \(number)"))
        telemetry.observe(.publishFailed("no queue 4111 1111 1111 1111"))
        let text = log.lines().joined(separator: "\n")
        #expect(text.contains("411111******1111"))
        for forbidden in [number, "4111111", "1111 1111", "cvv", "987", "2030"] { #expect(!text.contains(forbidden)) }
    }

    @Test("ids are logged as they are, though they look like card numbers")
    func ids() throws {
        let number = "4111111111111111"
        let command = try Samples.authorize(key: number, messageID: "m-\(number)-1", card: "5555555555554444")
        let disposition = Disposition.deferred(.seconds30, reason: "bank_timeout", provisional: nil, RetryState())
        telemetry.observe(.handled(command, disposition, duration: .zero))
        let text = log.lines().joined()
        #expect(text.contains("idempotency.key=\(number) ") && text.contains("message.id=m-\(number)-1 "))
    }

    @Test(
        "only what passes the Luhn check as a whole is taken for a card number",
        arguments: [
            ("4111111111111111", "411111******1111"), ("4111111111111112", "4111111111111112"),
            ("a 5555555555554444, 378282246310005!", "a 555555******4444, 378282*****0005!"),
            ("41111111111", "41111111111"), ("1234567", "1234567"), ("", ""),
            ("order-2024-000017", "order-2024-000017"),
            ("no. 12 4111 1111 1111 1111 x", "no. 12 4111 11** **** 1111 x"),
            ("4111-1111-1111-1111", "4111-11**-****-1111"), ("3782-822463-10005", "3782-82****-*0005"),
            ("2026-11-28 04:35:17 at 192.168.100.200:5672", "2026-11-28 04:35:17 at 192.168.100.200:5672"),
            ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ]
    )
    func cardDigits(text: String, expected: String) {
        #expect(CardDigits.masked(text) == expected)
    }

    @Test("what needs manual review is an error, a possible orphan a warning, and both are counted")
    func attention() {
        let operation = CommandIdentity(Samples.operation(), messageID: "m-1")
        telemetry.observe(.needsAttention(operation, reason: "echo_mismatch"))
        telemetry.observe(.possibleOrphan(operation, .suspected))
        telemetry.observe(.superseded(operation))
        let fields =
            "idempotency.key=key-1 merchant.id=default message.id=m-1 operation=capture "
            + "operation.id=00000000-0000-0000-0000-000000000009 payment.id=00000000-0000-0000-0000-000000000001"
        #expect(
            log.lines() == [
                "level=error logger=processor msg=\"operation needs manual review\" \(fields) reason=echo_mismatch",
                "level=warning logger=processor msg=\"authorization may have left a second hold at the bank\" "
                    + fields,
                "level=notice logger=processor msg=\"operation was taken over by another attempt\" \(fields)",
            ]
        )
        #expect(hasSample("payments_needs_attention_total 1"))
        #expect(hasSample("payments_possible_orphans_total 1"))
    }

    @Test("a dead letter is one line with its code and reason, whether it is kept or goes back")
    func deadLetters() throws {
        let number = "4111111111111111"
        let message = Message(
            type: "payment.capture.v1",
            messageID: "m-\(number)",
            headers: [HeaderName.idempotencyKey: .string("key-1"), HeaderName.errorCode: .string("unrouted")]
        )
        let deadLetter = DeadLetterReader(fingerprinter: Fingerprinter(secret: [1]))
            .deadLetter(message, .unrouted, id: DeadLetterScene.id(1), now: Timestamp(microseconds: 0))
        telemetry.observe(.deadLetterKept(deadLetter))
        telemetry.observe(.deadLetterSentBack(deadLetter, .seconds5))
        let rest =
            "idempotency.key=key-1 merchant.id=default message.id=m-4111111111111111 operation=capture "
            + "reason=\"\(deadLetter.failure.message)\""
        #expect(
            log.lines() == [
                "level=notice logger=processor msg=\"dead letter kept\" code=unrouted "
                    + "dead_letter.id=\(deadLetter.id) \(rest)",
                "level=warning logger=processor msg=\"message was delivered too often and goes back alone\" "
                    + "code=unrouted \(rest) tier=5s",
            ]
        )
    }

    @Test("bank calls are counted by what their answer proved, and logged only when debugging")
    func bankCalls() throws {
        let verdicts: [(Verdict, String)] = [
            (.declined(BankRefusal(code: "c", message: "m"), orphan: nil), "declined"),
            (.notExecuted(reason: "http_429", .throttled(nil)), "not_executed"), (.keyUnknown, "key_unknown"),
            (.notSent(reason: "r"), "not_sent"),
            (.expired(BankRefusal(code: "c", message: "m")), "expired"),
            (.needsAttention(reason: "r"), "needs_attention"),
            (.ambiguous(reason: "r", .failed), "ambiguous"),
        ]
        for (verdict, label) in verdicts {
            telemetry.observe(.bankAnswered(.refund, verdict, CommandIdentity()))
            #expect(hasSample("payments_bank_calls_total{operation=\"refund\",verdict=\"\(label)\"} 1"))
        }
        #expect(log.lines() == [])
        let debugLog = try CapturedLog(level: .debug)
        let debugging = ProcessorTelemetry(
            logger: debugLog.logger,
            metrics: ProcessorMetrics(registry: registry),
            readiness: readiness,
            time: time
        )
        debugging.observe(.bankAnswered(.refund, .notSent(reason: "r"), CommandIdentity(try Samples.authorize())))
        #expect(
            debugLog.lines() == [
                "level=debug logger=processor msg=\"bank answered\" idempotency.key=\"key 1\" merchant.id=shop "
                    + "message.id=m-1 operation=authorize payment.id=00000000-0000-0000-0000-000000000001 "
                    + "verdict=not_sent"
            ]
        )
    }

    @Test("the circuit breaker is reported in the log, the metrics and the readiness")
    func breaker() {
        for (condition, gauge) in [(BreakerCondition.open, 1), (.halfOpen, 1), (.closed, 0)] {
            telemetry.observe(.breakerChanged(condition, cause: nil))
            #expect(hasSample("payments_breaker_open \(gauge)"))
            #expect(readiness.current.bank == condition)
        }
        #expect(log.lines().map { $0.prefix(11) } == ["level=error", "level=notic", "level=notic"])
    }

    @Test("an outage of the bank is reported once with its cause in words, tries aside, and once when it is over")
    func outage() throws {
        let trouble = BankFailureWords(try BankAddress("https://bank.example:8443/v1"))
        let telemetry = ProcessorTelemetry(
            logger: log.logger,
            metrics: ProcessorMetrics(registry: registry),
            readiness: readiness,
            time: time,
            trouble: trouble
        )
        trouble.note(HTTPError(.tlsFailed, outcomeUnknown: false, cause: .certificateExpired))
        telemetry.observe(.breakerChanged(.open, cause: "tls_failed"))
        for condition in [BreakerCondition.halfOpen, .open, .halfOpen] {
            telemetry.observe(.breakerChanged(condition, cause: "tls_failed"))
        }
        time.advance(by: .seconds(125))
        telemetry.observe(.breakerChanged(.closed, cause: nil))
        #expect(
            log.lines() == [
                "level=error logger=processor msg=\"the bank is unavailable: no commands are taken\" "
                    + "error=\"certificate of bank.example has expired\" reason=tls_failed",
                "level=notice logger=processor msg=\"one command finds out whether the bank is available again\"",
                "level=notice logger=processor msg=\"the bank is available: commands are taken\" "
                    + "unavailable_for=\"2m 5s\"",
            ]
        )
    }

    @Test("a connection that is refused is named by its address")
    func refused() throws {
        let trouble = BankFailureWords(try BankAddress("http://127.0.0.1:8787"))
        let error = HTTPError(.connectFailed, outcomeUnknown: false, cause: .system(ECONNREFUSED))
        #expect(trouble.words(for: error) == "connection refused by 127.0.0.1:8787")
        trouble.note(error)
        #expect(trouble.words(for: "timed_out") == nil)
    }

    @Test("what was declined or rejected has its code in the log and in the metrics, what is deferred its reason")
    func codes() throws {
        let command = try Samples.authorize()
        for (outcome, label, code) in [
            (Reply.Outcome.declined, Disposition.Label.declined, "insufficient_funds"),
            (.rejected, .rejected, "payment_exists"), (.declined, .declined, "Card 4111 1111 1111 1111"),
        ] {
            let error = ReplyError(code: code, message: "m", isRetryable: false, source: .bank)
            let reply = Reply(
                operation: .authorize,
                outcome: outcome,
                error: error,
                payment: nil,
                paymentID: command.paymentID,
                idempotencyKey: command.idempotencyKey
            )
            let disposition = Disposition.reply(.unstored(reply, to: command), label, completes: nil)
            telemetry.observe(.handled(command, disposition, duration: .zero))
        }
        let lines = log.lines()
        #expect(lines[0].contains("msg=command code=insufficient_funds "))
        #expect(lines[1].contains("msg=command code=payment_exists "))
        let errors = "payments_command_errors_total{"
        for (code, outcome) in [
            ("insufficient_funds", "declined"), ("payment_exists", "rejected"), ("other", "declined"),
        ] {
            #expect(
                hasSample("\(errors)error_code=\"\(code)\",operation=\"authorize\",outcome=\"\(outcome)\"} 1"),
                "\(registry.text)"
            )
        }
        let deferred = Disposition.deferred(.seconds30, reason: "bank_unavailable", provisional: nil, RetryState())
        telemetry.observe(.handled(command, deferred, duration: .zero))
        #expect(hasSample("payments_commands_deferred_total{operation=\"authorize\",reason=\"bank_unavailable\"} 1"))
    }

    @Test("a label from outside has as many values as it may have")
    func bounded() throws {
        let command = try Samples.authorize()
        for number in 0..<200 {
            let code = "code_" + String(repeating: "a", count: number / 20) + String(repeating: "b", count: number % 20)
            let deferred = Disposition.deferred(.seconds5, reason: code, provisional: nil, RetryState())
            telemetry.observe(.handled(command, deferred, duration: .zero))
        }
        let series = registry.text.split(separator: "\n").filter {
            $0.hasPrefix("payments_commands_deferred_total{operation=\"authorize\"")
        }
        #expect(series.count == 41)
    }

    @Test("an unanswerable message is counted without an operation")
    func unanswerable() {
        let identity = CommandIdentity(
            paymentID: PaymentID(UniqueID(high: 0, low: 1)),
            idempotencyKey: IdempotencyKey("key-1"),
            messageID: "m-1"
        )
        telemetry.observe(.unanswerable(InvalidField("type", "is not known"), identity))
        #expect(hasSample("payments_commands_total{operation=\"unknown\",outcome=\"dead_lettered\"} 1"))
        #expect(
            log.lines() == [
                "level=info logger=processor msg=command code=invalid_command idempotency.key=key-1 message.id=m-1 "
                    + "operation=unknown outcome=dead_lettered payment.id=00000000-0000-0000-0000-000000000001 "
                    + "reason=\"type: is not known\""
            ]
        )
    }

    @Test("the first failure is reported at once, the others once per period with their count, and quiet ends it")
    func throttled() async {
        let failed = ProcessorEvent.storeFailed(StoreError(.unavailable, detail: "08006"))
        let first = "level=warning logger=processor msg=\"store failed\" error=\"store unavailable (08006)\""
        for _ in 0..<5 { telemetry.observe(failed) }
        telemetry.observe(.publishFailed("broker unavailable (x)"))
        #expect(
            log.lines() == [
                first, "level=warning logger=processor msg=\"publish failed\" error=\"broker unavailable (x)\"",
            ]
        )

        #expect(await eventually { time.sleepers == 2 })
        time.advance(by: .seconds(10))
        #expect(await eventually { time.sleepers == 1 })
        #expect(log.lines() == ["level=warning logger=processor msg=\"store failed, again\" count=4"])

        telemetry.observe(failed)
        #expect(log.lines() == [])
        time.advance(by: .seconds(10))
        var lines: [String] = []
        #expect(
            await eventually {
                lines += log.lines()
                return lines == ["level=warning logger=processor msg=\"store failed, again\" count=1"]
                    && time.sleepers == 1
            }
        )

        // A period without another failure ends it; the next one is then a first one again.
        #expect(
            await eventually {
                guard time.sleepers == 0 else {
                    time.advance(by: .seconds(10))
                    return false
                }
                telemetry.observe(failed)
                return log.lines().last == first
            }
        )
    }
}
