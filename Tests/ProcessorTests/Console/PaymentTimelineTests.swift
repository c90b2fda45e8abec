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
}
