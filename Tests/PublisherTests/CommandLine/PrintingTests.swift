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

@Suite("A reply for people", .timeLimit(.minutes(1)))
struct ReplyTextTests {
    private static let succeeded = #"""
        {"bank_response":{"body":{"authorization_id":"auth_1","status":"approved"},"status":200},"error":null,"final":true,"idempotency_key":"k-1","operation":"authorize","outcome":"succeeded","payment":{"amount":123456789,"authorized_at":"2026-01-02T03:04:05.000006Z","bank":{"authorization_id":"auth_1","capture_id":null,"refund_id":null,"void_id":null},"captured_at":null,"created_at":"2026-01-02T03:04:04.000000Z","currency":"USD","customer_id":"cust-1","expires_at":"2026-01-09T03:04:05.000006Z","id":"0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a","merchant_id":"default","order_id":"order-1","refunded_at":null,"status":"AUTHORIZED","voided_at":null},"payment_id":"0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a"}
        """#

    @Test("shows the payment, the amount in dollars, and the bank's ids")
    func success() throws {
        let reply = try #require(Fixture.reply(Self.succeeded, replayed: true))
        #expect(
            ReplyText(reply, Palette(isColoured: false)).text == """
                authorize succeeded
                  payment        0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a
                  state          AUTHORIZED
                  amount         $1,234,567.89 (123456789 minor units)
                  order          order-1
                  customer       cust-1
                  merchant       default
                  authorization  auth_1
                  authorized     2026-01-02T03:04:05.000006Z
                  expires        2026-01-09T03:04:05.000006Z
                  key            k-1
                  bank           answered with status 200
                  note           this key was completed before; this is the stored reply

                """
        )
    }

    @Test("shows who said no, why, and whether to send it again")
    func refusal() throws {
        let body = #"""
            {"bank_response":{"body":{},"status":402},"error":{"code":"insufficient_funds","message":"not enough","retryable":true,"source":"bank"},"final":true,"idempotency_key":"k-1","operation":"authorize","outcome":"declined","payment":null,"payment_id":null}
            """#
        #expect(
            ReplyText(try #require(Fixture.reply(body)), Palette(isColoured: false)).text == """
                authorize declined
                  key    k-1
                  bank   answered with status 402
                  error  insufficient_funds: not enough (from the bank)
                  retry  yes, with a new key and a new payment id

                """
        )
    }

    @Test("makes harmless for the terminal what comes from elsewhere")
    func controlCharacters() throws {
        let body = #"{"final":true,"outcome":"succeeded","operation":"void","idempotency_key":"a\u001b[2Jb\u009bc"}"#
        let text = ReplyText(try #require(Fixture.reply(body)), Palette(isColoured: false)).text
        #expect(text.contains("a\u{fffd}[2Jb\u{fffd}c"))
    }

    @Test("is coloured where that is wanted, and has the same words")
    func colours() throws {
        let reply = try #require(Fixture.reply(Self.succeeded))
        let plain = ReplyText(reply, Palette(isColoured: false)).text
        let coloured = ReplyText(reply, Palette(isColoured: true)).text
        #expect(!plain.contains("\u{1b}"))
        #expect(coloured.contains("\u{1b}[32msucceeded\u{1b}[0m"))
        #expect(coloured.replacing(#/\u{1b}\[\d+m/#, with: "") == plain)
    }

    @Test(
        "colours are for terminals of those who have not asked to go without",
        arguments: [
            (true, nil, nil, true), (false, nil, nil, false), (true, "1", nil, false), (true, "", nil, true),
            (true, nil, "dumb", false),
        ] as [(Bool, String?, String?, Bool)]
    )
    func wantsColour(isTerminal: Bool, noColor: String?, term: String?, expected: Bool) {
        let environment = ["NO_COLOR": noColor, "TERM": term]
        #expect(Terminal.wantsColour(isTerminal: isTerminal) { environment[$0] ?? nil } == expected)
    }

    @Test(
        "advises to send a refused command again where that makes sense",
        arguments: [
            ("insufficient_funds", "authorize", true, "yes, with a new key and a new payment id"),
            ("insufficient_funds", "capture", true, "yes, with a new key"),
            ("payment_not_found", "capture", true, "yes, under the same key"),
            ("deadline_passed", "authorize", true, "yes, under the same key"),
            ("payment_busy", "void", true, "yes, under the same key"), ("invalid_card", "authorize", false, "no"),
            ("unknown_outcome", "authorize", false, "no: a final reply follows, and the same key gets it"),
        ]
    )
    func advice(code: String, operation: String, retryable: Bool, expected: String) throws {
        let isFinal = code != "unknown_outcome"
        let body = #"""
            {"error":{"code":"\#(code)","message":"m","retryable":\#(retryable),"source":"bank"},"final":\#(isFinal),"operation":"\#(operation)","outcome":"\#(isFinal ? "declined" : "unknown")"}
            """#
        #expect(RetryAdvice.text(for: try #require(Fixture.reply(body))) == expected)
    }
}
