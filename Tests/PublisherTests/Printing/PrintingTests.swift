import Core
import PaymentCommands
import Testing

@testable import Publisher

@Suite("What is printed", .timeLimit(.minutes(1)))
struct PrintingTests {
    @Test(
        "money is dollars and cents, and minor units",
        arguments: [
            (Int64(1), "$0.01 (1 minor units)"), (5_000, "$50.00 (5000 minor units)"), (99, "$0.99 (99 minor units)"),
            (100_000_005, "$1,000,000.05 (100000005 minor units)"),
            (.max, "$92,233,720,368,547,758.07 (9223372036854775807 minor units)"),
        ]
    )
    func money(minorUnits: Int64, expected: String) {
        #expect(MoneyText.of(minorUnits: minorUnits, currency: "USD") == expected)
    }

    @Test("money of another currency is minor units alone")
    func otherCurrency() {
        #expect(MoneyText.of(minorUnits: 5, currency: "JPY") == "5 minor units of JPY")
    }

    @Test("a receipt names the command")
    func receipt() throws {
        let messageID = try #require(UniqueID("0195a7c2-0000-7000-8000-000000000001"))
        let content = OutgoingCommand(
            kind: .void,
            paymentID: Fixture.paymentID,
            idempotencyKey: "k-\"1\"",
            merchantID: nil,
            body: .object([:])
        )
        let command = PaymentCommand(unchecked: content, id: messageID)
        #expect(
            ReceiptText.json(command)
                == #"{"idempotency_key":"k-\"1\"","message_id":"0195a7c2-0000-7000-8000-000000000001","payment_id":"\#(Fixture.paymentID)"}"#
        )
        #expect(
            ReceiptText.text(command, Palette(isColoured: false)) == """
                void sent
                  payment  0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a
                  key      k-"1"
                  message  0195a7c2-0000-7000-8000-000000000001
                  reply    goes to the common reply queue

                """
        )
    }

    @Test("a progress line fits its terminal")
    func progress() {
        let line = ProgressLine(completed: 1_500, total: 20_000, notSucceeded: 3, elapsed: .milliseconds(500))
        #expect(
            line.text(width: 80)
                == "[##.............................] 7%  1,500 of 20,000  3,000/s  3 not succeeded"
        )
        for width in 0...200 { #expect(line.text(width: width).count <= max(width - 1, 0)) }
        let done = ProgressLine(completed: 2, total: 2, notSucceeded: 0, elapsed: .zero)
        #expect(done.text(width: 200) == "[########################################] 100%  2 of 2  0/s")
    }

    @Test("a batch's summary names the commonest codes and where to look")
    func summary() throws {
        let now = ContinuousClock.now
        let entries = try (0..<4).map {
            BatchEntry(
                line: $0 * 10 + 1,
                command: try BatchLine.command(Array(Fixture.authorizeLine(key: "\($0)").utf8))
            )
        }
        var tracker = BatchTracker(count: 4, now: now)
        for index in 0..<4 { _ = tracker.sending(index, now: now) }
        for (index, code) in [(1, "insufficient_funds"), (2, "invalid_card"), (3, "insufficient_funds")] {
            let reply = try #require(Fixture.reply(.declined, code: code))
            _ = tracker.received(reply, to: index, now: now + .microseconds(1_550))
        }
        let text = BatchSummaryText(
            summary: BatchSummary(tracker, elapsed: .milliseconds(1_500)),
            codes: tracker.codes,
            entries: entries,
            palette: Palette(isColoured: false)
        ).text
        #expect(
            text == """
                4 commands sent
                  succeeded  0
                  declined   3  insufficient_funds 2 (first: line 11)  invalid_card 1 (first: line 21)
                  no reply   1
                  time       1.500 s, 2 commands a second
                  latency    half within 1.5 ms, 99% within 1.5 ms

                """
        )
    }
}
