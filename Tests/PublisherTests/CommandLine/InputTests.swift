import ConfigurationText
import Core
import Glibc
import PaymentCommands
import Testing

@testable import Publisher

@Suite("What a person types", .timeLimit(.minutes(1)))
struct InputTests {
    @Test(
        "a duration is a whole number with a unit",
        arguments: [
            ("250ms", Duration.milliseconds(250)), ("15s", .seconds(15)), ("2m", .seconds(120)),
            ("1h", .seconds(3_600)),
            ("1000h", .seconds(3_600_000)),
        ]
    )
    func duration(text: String, expected: Duration) {
        #expect(DurationText.usable(text) == expected)
    }

    @Test(
        "anything else is no duration",
        arguments: [
            "", "5", "s", "0s", "-1s", "+1s", "1.5s", "5 s", "5S", "1d", "1001h", "99999999999999999999s", "٣s",
        ]
    )
    func noDuration(text: String) {
        #expect(DurationText.usable(text) == nil)
        #expect(throws: Failure(.usage, "--timeout must be a duration such as 250ms, 15s, 2m or 1h")) {
            try DurationText.usable(text, option: "--timeout")
        }
    }

    @Test("a deadline is an instant, or a duration from now")
    func deadline() throws {
        let now = try #require(Timestamp("2026-01-02T03:04:05Z"))
        #expect(try DeadlineText.instant("2030-01-31T12:00:00Z", now: now) == Timestamp("2030-01-31T12:00:00Z"))
        #expect(try DeadlineText.instant("30s", now: now) == Timestamp("2026-01-02T03:04:35Z"))
        #expect(throws: Failure.self) { try DeadlineText.instant("tomorrow", now: now) }
    }

    @Test(
        "the check digit finds a mistyped card number",
        arguments: [
            ("4111111111111111", true), ("4242424242424242", true), ("5555555555554444", true),
            ("5105105105105100", true), ("378282246310005", true), ("4111111111111112", false),
            ("4111111111111171", false), ("1111111111111", false),
        ]
    )
    func luhn(number: String, passes: Bool) {
        #expect(LuhnCheck.passes(number) == passes)
    }

    @Test("a card is read from one line, blanks of any kind between its fields")
    func cardLine() throws {
        let card = try CardEntry(line: " 4111111111111111\t123  12/2030\r")
        let expiry = try CardExpiry("12/2030", source: "it")
        #expect(card == CardEntry(number: Fixture.card, cvv: "123", expiry: expiry))
        #expect(expiry.month == 12 && expiry.year == 2030)
        #expect(try CardExpiry("1/2030", source: "it").month == 1)
    }

    @Test(
        "a card line that cannot be read is named without its content",
        arguments: [
            "", "4111111111111111", "4111111111111111 123", "4111111111111111 123 12/2030 x",
            "4111111111111111 123 12-2030",
        ]
    )
    func badCardLine(line: String) {
        let failure = #expect(throws: Failure.self) { try CardEntry(line: line) }
        #expect(failure?.status == .usage)
        #expect(failure?.lines.joined().contains("4111") == false)
    }

    @Test(
        "an expiry is mm/yyyy",
        arguments: ["", "12", "12/30", "/2030", "12/", "123/2030", "12/20300", "-1/2030", "a/2030"]
    )
    func badExpiry(text: String) {
        #expect(throws: Failure(.usage, "--expiry must be written mm/yyyy, such as 12/2030")) {
            try CardExpiry(text, source: "--expiry")
        }
    }

    @Test(
        "what looks like a card number is masked in a message",
        arguments: [
            ("Unexpected argument '4111111111111111'", "Unexpected argument '[digits]'"),
            ("4111 1111 1111 1111 is too much", "[digits] is too much"),
            ("a 4111-1111-1111-1111", "a [digits]"),
            ("port 5672, 12345678901", "port 5672, 12345678901"),
            ("", ""),
        ]
    )
    func mask(text: String, expected: String) {
        #expect(CardNumberMask.masking(text) == expected)
    }

    @Test(
        "an amount stays the number that it was typed as, or is a text",
        arguments: [
            ("5000", JSONValue.number("5000")), ("50.00", .number("50.00")), ("5e3", .number("5e3")),
            ("$50", .string("$50")), ("0050", .string("0050")), ("true", .string("true")), ("", .string("")),
        ]
    )
    func amount(text: String, expected: JSONValue) {
        #expect(AmountText.json(text) == expected)
    }

    @Test(
        "what people mistype is answered with what they mean",
        arguments: [
            (["authorise"], "there is no command 'authorise': did you mean authorize?"),
            (["capure", "--payment-id", "x"], "there is no command 'capure': did you mean capture?"),
            (
                ["capture", "--payment-id", "x", "--amount", "50.00"],
                "--amount takes whole cents, at least 1, digits only: 5000 is $50.00. "
                    + "For 50.00 dollars say --amount 5000"
            ),
            (
                ["capture", "--payment-id", "x", "--amount=0.5"],
                "--amount takes whole cents, at least 1, digits only: 5000 is $50.00. For 0.5 dollars say --amount 50"
            ),
            (["refund", "--amount", "-5"], "--amount takes whole cents, at least 1, digits only: 5000 is $50.00"),
        ]
    )
    func mistyped(arguments: [String], line: String) {
        #expect(throws: Failure(.usage, line)) { try ArgumentCheck.check(arguments) }
    }

    @Test(
        "what is right, or is nothing like it, is left to the parser",
        arguments: [["authorize", "--amount", "5000"], ["frobnicate"], ["--help"], ["help", "batch"], []]
    )
    func right(arguments: [String]) throws {
        try ArgumentCheck.check(arguments)
    }
}

@Suite("A line reader", .timeLimit(.minutes(1)))
struct LineReaderTests {
    @Test(
        "gives every line once, the last one without a line feed too",
        arguments: [
            ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n\na\n", ["", "", "a"]),
            ("a\r\nb\n", ["a\r", "b"]),
        ]
    )
    func lines(text: String, expected: [String]) throws {
        #expect(try read(text, maximumLength: 10) == expected)
    }

    @Test("puts lines together that lie across its blocks")
    func acrossBlocks() throws {
        let lines = (0..<300).map { String(repeating: "x", count: 997) + String($0) }
        #expect(try read(lines.joined(separator: "\n"), maximumLength: 2_000) == lines)
    }

    @Test("skips a line that is too long, and goes on behind it")
    func tooLong() throws {
        let long = String(repeating: "x", count: 200_000)
        #expect(try read("a\n\(long)\nb\n", maximumLength: 100) == ["a", nil, "b"])
    }

    @Test("says in the system's words why a file cannot be read")
    func unreadable() throws {
        let directory = open("/", O_RDONLY)
        defer { close(directory) }
        #expect(throws: FileProblem(number: EISDIR)) {
            var reader = LineReader(descriptor: directory, maximumLength: 10)
            _ = try reader.next()
        }
    }

    /// `nil` stands for a line that was too long.
    private func read(_ text: String, maximumLength: Int) throws -> [String?] {
        let file = try TemporaryFile(text)
        let descriptor = open(file.path, O_RDONLY)
        defer { close(descriptor) }
        var reader = LineReader(descriptor: descriptor, maximumLength: maximumLength)
        var lines: [String?] = []
        while let line = try reader.next() {
            switch line {
            case .line(let bytes): lines.append(String(decoding: bytes, as: UTF8.self))
            case .tooLong: lines.append(nil)
            }
        }
        return lines
    }
}
