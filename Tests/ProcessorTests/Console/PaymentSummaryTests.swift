import Core
import Simulation
import Testing

@testable import Processor

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
