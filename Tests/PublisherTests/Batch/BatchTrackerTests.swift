import Core
import PaymentCommands
import Testing

@testable import Publisher

@Suite("The tracker of a batch", .timeLimit(.minutes(1)))
struct BatchTrackerTests {
    private let start = ContinuousClock.now

    @Test("counts every command once, whatever replies come and however often")
    func counts() throws {
        var tracker = BatchTracker(count: 5, now: start)
        for index in 0..<5 { _ = tracker.sending(index, now: start) }
        #expect(tracker.received(try reply(.succeeded), to: 0, now: start) == .final)
        #expect(tracker.received(try reply(.succeeded), to: 0, now: start) == .none)
        #expect(tracker.received(try reply(.unknown), to: 0, now: start) == .none)
        #expect(tracker.received(try reply(.unknown), to: 1, now: start) == .provisional)
        #expect(tracker.received(try reply(.unknown), to: 1, now: start) == .none)
        #expect(tracker.received(try reply(.declined, "no_money"), to: 1, now: start) == .final)
        #expect(tracker.received(try reply(.rejected, "busy"), to: 2, now: start) == .final)
        #expect(tracker.received(try reply(.unknown), to: 3, now: start) == .provisional)
        #expect(tracker.received(try reply(.succeeded), to: 5, now: start) == .none)
        #expect(tracker.received(try reply(.succeeded), to: -1, now: start) == .none)
        #expect(!tracker.isComplete)
        #expect(tracker.unanswered.map(\.index) == [3, 4] && tracker.unanswered.allSatisfy(\.isSent))
        let summary = BatchSummary(tracker, elapsed: .milliseconds(1_234))
        #expect(
            summary.json
                == #"{"summary":{"declined":1,"no_reply":1,"rejected":1,"seconds":1.234,"sent":5,"succeeded":1,"unknown":1}}"#
        )
        #expect(
            tracker.codes == [
                .declined: ["no_money": .init(count: 1, firstIndex: 1)],
                .rejected: ["busy": .init(count: 1, firstIndex: 2)],
            ]
        )
    }

    @Test("forgets a command that never left")
    func notSent() throws {
        var tracker = BatchTracker(count: 2, now: start)
        _ = tracker.sending(0, now: start)
        tracker.notSent(0)
        tracker.notSent(1)
        #expect(tracker.sent == 0 && tracker.open == 0)
        #expect(tracker.received(try reply(.succeeded), to: 0, now: start) == .none)
        #expect(BatchSummary(tracker, elapsed: .zero).status == .unknown)
    }

    @Test("counts a command that is sent once more only once, and takes its reply")
    func sentAgain() throws {
        var tracker = BatchTracker(count: 2, now: start)
        let isFirst = [
            tracker.sending(0, now: start), tracker.sending(0, now: start + .seconds(1)),
        ]
        #expect(isFirst == [true, false])
        #expect(tracker.received(try reply(.unknown), to: 0, now: start) == .provisional)
        let isThirdFirst = tracker.sending(0, now: start + .seconds(2))
        #expect(!isThirdFirst)
        #expect(tracker.sent == 1 && tracker.open == 1 && tracker.unknown == 1)
        #expect(tracker.unanswered.map(\.isSent) == [true, false])
        #expect(tracker.received(try reply(.succeeded), to: 0, now: start + .seconds(3)) == .final)
        #expect(!tracker.isOpen(0) && tracker.isOpen(1) && tracker.unknown == 0)
        #expect(tracker.latency(share: 1) == .seconds(3))
    }

    @Test("knows how long the replies took")
    func latencies() throws {
        var tracker = BatchTracker(count: 100, now: start)
        #expect(tracker.latency(share: 0.5) == nil)
        for index in 0..<100 { _ = tracker.sending(index, now: start) }
        for index in (0..<100).reversed() {
            _ = tracker.received(try reply(.succeeded), to: index, now: start + .milliseconds(index + 1))
        }
        #expect(tracker.isComplete)
        #expect(tracker.latency(share: 0.5) == .milliseconds(50))
        #expect(tracker.latency(share: 0.99) == .milliseconds(99))
        #expect(tracker.latency(share: 1) == .milliseconds(100))
        #expect(tracker.lastActivity == start + .milliseconds(1))
    }

    @Test("distinguishes no more codes than it can hold")
    func manyCodes() throws {
        var tracker = BatchTracker(count: 60, now: start)
        for index in 0..<60 {
            _ = tracker.sending(index, now: start)
            _ = tracker.received(try reply(.declined, "code-\(index)"), to: index, now: start)
        }
        let codes = tracker.codes[.declined, default: [:]]
        #expect(codes.count == 51)
        #expect(codes["others"] == .init(count: 10, firstIndex: 50))
    }

    @Test("gives the largest exit status that applies")
    func status() throws {
        let table: [([Reply.Outcome?], PublisherStatus)] = [
            ([.succeeded, .succeeded], .succeeded), ([.succeeded, .declined], .declined),
            ([.declined, .rejected], .rejected),
            ([.rejected, .unknown], .unknown), ([.rejected, nil], .unknown), ([], .succeeded),
        ]
        for (outcomes, expected) in table {
            var tracker = BatchTracker(count: outcomes.count, now: start)
            for (index, outcome) in outcomes.enumerated() {
                _ = tracker.sending(index, now: start)
                if let outcome { _ = tracker.received(try reply(outcome), to: index, now: start) }
            }
            #expect(BatchSummary(tracker, elapsed: .zero).status == expected, "\(outcomes)")
        }
    }

    private func reply(_ outcome: Reply.Outcome, _ code: String? = nil) throws -> ReceivedReply {
        try #require(Fixture.reply(outcome, code: code))
    }
}
