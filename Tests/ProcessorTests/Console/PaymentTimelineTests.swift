import Core
import Simulation
import Testing

@testable import Processor

@Suite("The timeline of a payment", .timeLimit(.minutes(1)))
struct PaymentTimelineTests {
    private static let start = Timestamp(microseconds: 1_000_000_000_000)

    private func second(_ number: Int) -> Timestamp { Self.start.advanced(by: .seconds(number)) }

    /// A payment whose authorize has succeeded and whose capture needs review.
    private func view(_ change: (inout [Operation]) -> Void = { _ in }) async throws -> PaymentView {
        let scene = ResolutionScene()
        try await scene.prepare()
        let id = try #require(PaymentID(ResolutionScene.id))
        let stored = try #require(try await scene.store.payment(id))
        var operations = stored.operations
        change(&operations)
        return PaymentView(
            payment: stored.payment,
            history: stored.history,
            operations: operations,
            attempts: stored.attempts,
            replays: [
                ReplayRecord(at: second(50), deadLetterID: DeadLetterScene.id(1), actor: "ada", result: "replayed")
            ]
        )
    }

    private func entries(_ view: PaymentView, _ trace: PaymentTrace) -> [TimelineEntry] {
        PaymentFacts(view: view, trace: trace, deadLetters: [], now: second(100)).timeline
    }

    private func words(_ entry: TimelineEntry) -> String { "\(entry.kind) | \(entry.what) | \(entry.detail)" }

    @Test("who replayed, with a link to the dead letter")
    func replays() async throws {
        let entry = try #require(entries(try await view(), PaymentTrace()).first { $0.kind == "replay" })
        #expect(words(entry) == "replay | replayed | by ada")
        #expect(entry.instant == second(50))
        #expect(entry.path == "/console/dead-letters/\(DeadLetterScene.id(1))")
    }

    @Test("a command that waits, and on which retry tier")
    func waiting() async throws {
        for tier in [RetryTier.seconds5, .seconds30] {
            let waiting = PaymentTrace.Waiting(
                kind: .refund,
                idempotencyKey: "k",
                messageID: "m",
                since: second(60),
                tier: tier
            )
            let facts = PaymentFacts(
                view: try await view(),
                trace: PaymentTrace(waiting: [waiting]),
                deadLetters: [],
                now: second(100)
            )
            let last = try #require(facts.timeline.first { $0.kind == "waits" })
            #expect(words(last) == "waits | refund | on the retry tier \(tier.rawValue), key k")
            #expect(last.tone == "wait")
            #expect(PaymentContent(facts).waiting?.rows.map(\.tier) == [tier.rawValue])
        }
    }

    @Test("whether the client was notified, and where its reply is")
    func notified() async throws {
        func client(
            isNotified: Bool,
            notifiedAt: Timestamp?,
            undeliverableAt: Timestamp? = nil,
            outbox: [String: Int] = [:]
        ) async throws -> (timeline: [String], table: String?) {
            let view = try await view { $0[0].isNotified = isNotified }
            let trace = PaymentTrace(
                steps: [
                    PaymentTrace.Steps(
                        operation: view.operations[0].id,
                        completedAt: second(10),
                        notifiedAt: notifiedAt,
                        undeliverableAt: undeliverableAt
                    )
                ],
                outbox: outbox
            )
            let facts = PaymentFacts(view: view, trace: trace, deadLetters: [], now: second(100))
            let timeline = facts.timeline.filter { $0.kind == "client" }.map(words)
            return (timeline, PaymentContent(facts).operations.first?.notified)
        }
        let told = try await client(isNotified: true, notifiedAt: second(11))
        #expect(told.timeline == ["client | authorize: notified | "])
        #expect(told.table == "yes")
        let gone = try await client(isNotified: true, notifiedAt: second(11), undeliverableAt: second(11))
        #expect(gone.timeline.map { $0.hasPrefix("client | authorize: not reached") } == [true])
        #expect(gone.table == "reply queue gone")
        let waits = try await client(isNotified: false, notifiedAt: nil, outbox: ["reply": 1, "event": 2])
        #expect(waits.timeline == ["client | authorize: not notified yet | 2 events, 1 reply in the outbox"])
        #expect(waits.table == "not yet: 2 events, 1 reply in the outbox")
        let nowhere = try await client(isNotified: false, notifiedAt: nil)
        #expect(nowhere.timeline == ["client | authorize: not notified yet | a sweep sees to it"])
        #expect(nowhere.table == "not yet")
    }

    @Test("every transition and every attempt, in the order of time")
    func order() async throws {
        let view = try await view()
        let timeline = entries(view, PaymentTrace())
        #expect(timeline.map(\.instant) == timeline.map(\.instant).sorted())
        let transitions = view.history.filter { $0.from != $0.to }
        #expect(!transitions.isEmpty && timeline.count { $0.kind == "state" } == transitions.count)
        #expect(!view.attempts.isEmpty)
        for attempt in view.attempts {
            #expect(
                timeline.contains { $0.instant == attempt.at && $0.what.hasPrefix("\(attempt.operation.rawValue): ") }
            )
        }
    }

    /// A capture of which one request had no answer, and the next was answered.
    private func capture(_ change: (inout Core.Operation) -> Void = { _ in }) -> PaymentView {
        func attempt(
            _ second: Int,
            _ verdict: BankCallVerdict,
            _ status: Int,
            code: String? = nil,
            tier: RetryTier? = nil
        ) -> BankAttemptRecord {
            BankAttemptRecord(
                at: Timestamp(microseconds: Int64(second) * 1_000_000),
                operation: .capture,
                idempotencyKey: IdempotencyKey(verified: "key-1"),
                verdict: verdict,
                status: status,
                code: code,
                tier: tier
            )
        }
        func step(_ microseconds: Int64, _ from: PaymentStatus, _ to: PaymentStatus, _ cause: String) -> HistoryEntry {
            let at = Timestamp(microseconds: microseconds)
            return HistoryEntry(at: at, cause: cause, from: from, to: to, operation: .capture)
        }
        var operation = Samples.operation()
        operation.state = .succeeded
        operation.sends = EarlierSends(unanswered: 1)
        change(&operation)
        return PaymentView(
            payment: Samples.payment(),
            // The claim is noted a little later than its beginning.
            history: [
                step(2_003_000, .authorized, .capturing, "capture claimed"),
                step(20_001_000, .capturing, .captured, "capture succeeded"),
            ],
            operations: [operation],
            attempts: [
                attempt(5, .ambiguous, 504, code: "gateway_timeout", tier: .seconds5), attempt(20, .succeeded, 200),
            ]
        )
    }

    @Test("a request is told with its verdict, status, code and tier, after the claim that it was made under")
    func requests() {
        let timeline = entries(capture(), PaymentTrace())
        #expect(
            timeline.map(words) == [
                "state | AUTHORIZED → CAPTURING | capture claimed", "bank | capture: may be sent from now on | ",
                "bank | capture: outcome not known | HTTP 504, gateway_timeout, again after 5s",
                "bank | capture: succeeded | HTTP 200", "state | CAPTURING → CAPTURED | capture succeeded",
            ]
        )
        #expect(timeline.map(\.tone) == ["", "", "wait", "good", ""])
    }

    @Test("requests of processors that were gone before they had noted an answer are counted")
    func lostRequests() {
        func lost(_ change: (inout Core.Operation) -> Void) -> [String] {
            entries(capture(change), PaymentTrace()).filter { $0.what.contains("without a known answer") }
                .map { "\(words($0)) | \($0.tone)" }
        }
        let one = "bank | capture: 1 request without a known answer"
        let since = "may have sent it since then was gone before noting what came"
        #expect(lost { $0.sends.failed = 1 } == ["\(one) | whoever \(since) | "])
        let (now, second) = (second(100), Duration.seconds(1))
        func held(until lease: Timestamp) -> [String] {
            lost {
                $0.state = .sent
                $0.leaseUntil = lease
            }
        }
        // Its holder may be asking the bank now.
        #expect(held(until: now.advanced(by: second)).isEmpty)
        #expect(held(until: now) == ["\(one) | whoever \(since) | wait"])
        let two = lost { $0.sends.unanswered = 3 }
        #expect(two.map { $0.contains("2 requests without") && $0.contains("have sent them since") } == [true])
    }
}

@Suite("What the console says of a payment", .timeLimit(.minutes(1)))
struct PaymentSummaryTests {
    private func facts(
        _ view: PaymentView,
        trace: PaymentTrace = PaymentTrace(),
        deadLetters: [DeadLetter] = []
    ) -> PaymentFacts {
        PaymentFacts(view: view, trace: trace, deadLetters: deadLetters, now: SystemTime().now())
    }

    private func view(_ status: PaymentStatus) -> PaymentView {
        var payment = Samples.payment(1)
        payment.status = status
        return PaymentView(payment: payment, history: [], operations: [])
    }

    @Test("an authorized payment for which no capture came")
    func nobodyAsked() {
        let summary = PaymentSummary(facts(view(.authorized)))
        #expect(summary.tone == .notice)
        #expect(summary.sentences.last == "No capture has come for it: whoever sent the order has not asked for one.")
    }

    @Test("a capture that waits on a retry tier")
    func waiting() {
        let waiting = PaymentTrace.Waiting(
            kind: .capture,
            idempotencyKey: "k",
            messageID: "m",
            since: SystemTime().now(),
            tier: .seconds5
        )
        let summary = PaymentSummary(facts(view(.authorized), trace: PaymentTrace(waiting: [waiting])))
        #expect(summary.tone == .hold)
        #expect(summary.sentences.contains { $0.hasPrefix("A capture waits on a retry tier") })
        #expect(!summary.sentences.contains { $0.hasPrefix("No capture has come") })
    }

    @Test("a capture that needs review, and a dead letter that is left to do")
    func review() async throws {
        let scene = ResolutionScene()
        try await scene.prepare()
        let id = try #require(PaymentID(ResolutionScene.id))
        let view = try #require(try await scene.store.payment(id))
        let summary = PaymentSummary(facts(view))
        #expect(summary.tone == .problem)
        #expect(summary.sentences.contains { $0.hasPrefix("The capture needs manual review") })
        let failures = DeadLetterScene()
        let kept = try await failures.keep(1, code: "unrouted")
        let failure = try #require(try await failures.store.deadLetter(kept)).deadLetter
        let second = PaymentSummary(facts(self.view(.authorized), deadLetters: [failure]))
        #expect(second.tone == .problem)
        #expect(second.sentences.contains { $0.hasPrefix("A dead letter is left to do: unrouted") })
    }

    @Test("the timeline has every transition, request and word to the client, in the order of time")
    func timeline() {
        let facts = facts(Samples.view())
        let entries = facts.timeline
        #expect(entries.count >= facts.view.history.count + facts.view.attempts.count)
        #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.instant <= $1.instant })
    }
}
