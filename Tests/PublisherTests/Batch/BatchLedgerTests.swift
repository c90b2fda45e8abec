import Core
import Testing

@testable import Publisher

@Suite("The ledger of a batch", .timeLimit(.minutes(1)))
struct BatchLedgerTests {
    private let start = ContinuousClock.now

    @Test("counts every command once, whatever replies come and however often")
    func counts() throws {
        var ledger = BatchLedger(count: 5, now: start)
        for index in 0..<5 { _ = ledger.sending(index, now: start) }
        #expect(ledger.received(try reply(.succeeded), to: 0, now: start) == .final)
        #expect(ledger.received(try reply(.succeeded), to: 0, now: start) == .none)
        #expect(ledger.received(try reply(.unknown), to: 0, now: start) == .none)
        #expect(ledger.received(try reply(.unknown), to: 1, now: start) == .provisional)
        #expect(ledger.received(try reply(.unknown), to: 1, now: start) == .none)
        #expect(ledger.received(try reply(.declined, "no_money"), to: 1, now: start) == .final)
        #expect(ledger.received(try reply(.rejected, "busy"), to: 2, now: start) == .final)
        #expect(ledger.received(try reply(.unknown), to: 3, now: start) == .provisional)
        #expect(ledger.received(try reply(.succeeded), to: 5, now: start) == .none)
        #expect(ledger.received(try reply(.succeeded), to: -1, now: start) == .none)
        #expect(!ledger.isComplete)
        #expect(ledger.unanswered.map(\.index) == [3, 4] && ledger.unanswered.allSatisfy(\.isSent))
        let summary = BatchSummary(ledger, elapsed: .milliseconds(1_234))
        #expect(
            summary.json
                == #"{"summary":{"declined":1,"no_reply":1,"rejected":1,"seconds":1.234,"sent":5,"succeeded":1,"unknown":1}}"#
        )
        #expect(
            ledger.codes == [
                .declined: ["no_money": .init(count: 1, firstIndex: 1)],
                .rejected: ["busy": .init(count: 1, firstIndex: 2)],
            ]
        )
    }

    @Test("forgets a command that never left")
    func notSent() throws {
        var ledger = BatchLedger(count: 2, now: start)
        _ = ledger.sending(0, now: start)
        ledger.notSent(0)
        ledger.notSent(1)
        #expect(ledger.sent == 0 && ledger.open == 0)
        #expect(ledger.received(try reply(.succeeded), to: 0, now: start) == .none)
        #expect(BatchSummary(ledger, elapsed: .zero).status == .unknown)
    }

    @Test("counts a command that is sent once more only once, and takes its reply")
    func sentAgain() throws {
        var ledger = BatchLedger(count: 2, now: start)
        let isFirst = [
            ledger.sending(0, now: start), ledger.sending(0, now: start + .seconds(1)),
        ]
        #expect(isFirst == [true, false])
        #expect(ledger.received(try reply(.unknown), to: 0, now: start) == .provisional)
        let isThirdFirst = ledger.sending(0, now: start + .seconds(2))
        #expect(!isThirdFirst)
        #expect(ledger.sent == 1 && ledger.open == 1 && ledger.unknown == 1)
        #expect(ledger.unanswered.map(\.isSent) == [true, false])
        #expect(ledger.received(try reply(.succeeded), to: 0, now: start + .seconds(3)) == .final)
        #expect(!ledger.isOpen(0) && ledger.isOpen(1) && ledger.unknown == 0)
        #expect(ledger.latency(share: 1) == .seconds(3))
    }

    @Test("knows how long the replies took")
    func latencies() throws {
        var ledger = BatchLedger(count: 100, now: start)
        #expect(ledger.latency(share: 0.5) == nil)
        for index in 0..<100 { _ = ledger.sending(index, now: start) }
        for index in (0..<100).reversed() {
            _ = ledger.received(try reply(.succeeded), to: index, now: start + .milliseconds(index + 1))
        }
        #expect(ledger.isComplete)
        #expect(ledger.latency(share: 0.5) == .milliseconds(50))
        #expect(ledger.latency(share: 0.99) == .milliseconds(99))
        #expect(ledger.latency(share: 1) == .milliseconds(100))
        #expect(ledger.lastActivity == start + .milliseconds(1))
    }

    @Test("tells no more codes apart than it can hold")
    func manyCodes() throws {
        var ledger = BatchLedger(count: 60, now: start)
        for index in 0..<60 {
            _ = ledger.sending(index, now: start)
            _ = ledger.received(try reply(.declined, "code-\(index)"), to: index, now: start)
        }
        let codes = ledger.codes[.declined, default: [:]]
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
            var ledger = BatchLedger(count: outcomes.count, now: start)
            for (index, outcome) in outcomes.enumerated() {
                _ = ledger.sending(index, now: start)
                if let outcome { _ = ledger.received(try reply(outcome), to: index, now: start) }
            }
            #expect(BatchSummary(ledger, elapsed: .zero).status == expected, "\(outcomes)")
        }
    }

    private func reply(_ outcome: Reply.Outcome, _ code: String? = nil) throws -> ReceivedReply {
        try #require(Fixture.reply(outcome, code: code))
    }
}
