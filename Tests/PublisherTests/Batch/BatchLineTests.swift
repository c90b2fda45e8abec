import Core
import PaymentCommands
import Testing

@testable import Publisher

@Suite("A line of a batch", .timeLimit(.minutes(1)))
struct BatchLineTests {
    @Test("is the command that the body says")
    func command() throws {
        let command = try parse(Fixture.authorizeLine())
        #expect(command.kind == .authorize)
        #expect(command.idempotencyKey == "k-1")
        #expect(try JSONParser.parse(command.body) == JSONParser.parse(Array(Fixture.authorizeBody.utf8)))
    }

    @Test(
        "may leave out what has a default",
        arguments: [
            #"{"operation":"void","payment_id":"0195A7C2-6f0e-7c3a-9c55-1f2e3d4c5b6a"}"#,
            #"{"operation":"capture","payment_id":"0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a","body":{}}"#,
            #"{"operation":"refund","payment_id":"0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a","merchant_id":null,"idempotency_key":null}"#,
        ]
    )
    func defaults(line: String) throws {
        let command = try parse(line)
        #expect(command.body == Array("{}".utf8))
        #expect(command.merchantID == nil)
        #expect(!command.idempotencyKey.isEmpty)
    }

    private static let id = #""payment_id":"0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a""#

    @Test(
        "is named by what is wrong with it",
        arguments: [
            ("nonsense", "the line is not valid JSON"),
            ("[]", "the line is not a JSON object"),
            (#"{"operation":"void""#, "the line ends in the middle of a JSON value"),
            (#"{"operation":"void","operation":"void"}"#, "the line has the same name twice in one JSON object"),
            ("{}", "operation: is missing"),
            (#"{"operation":"pay"}"#, "operation: must be one of authorize, capture, void, refund"),
            (#"{"operation":1}"#, "operation: must be one of authorize, capture, void, refund"),
            (#"{"operation":"void"}"#, "payment_id: is missing"),
            (#"{"operation":"void","payment_id":7}"#, "payment_id: must be a string"),
            (
                #"{"operation":"void","payment_id":"7"}"#,
                "payment_id: must be a UUID such as 123e4567-e89b-12d3-a456-426614174000"
            ),
            (
                #"{"operation":"void",\#(id),"idempotency_key":""}"#,
                "idempotency_key: must have 1 to 255 characters, none of them a control character"
            ),
            (
                #"{"operation":"void",\#(id),"merchant_id":"a b"}"#,
                "merchant_id: must be 1 to 64 characters of A-Z a-z 0-9 . _ -"
            ),
            (
                #"{"operation":"void",\#(id),"key":"k"}"#,
                "'key': is none of operation, payment_id, idempotency_key, merchant_id, body"
            ),
            (#"{"operation":"void",\#(id),"body":[]}"#, "body: must be a JSON object"),
            (#"{"operation":"authorize"}"#, "body: is missing"),
            (#"{"operation":"authorize","body":{}}"#, "body.order_id: is missing"),
            (
                #"{"operation":"capture",\#(id),"body":{"amount":"5"}}"#,
                "body.amount: must be an integer from 1 to 9223372036854775807, in minor units, written with digits only"
            ),
        ]
    )
    func problem(line: String, problem: String) {
        #expect(throws: BatchLine.Problem(problem)) { try parse(line) }
    }

    @Test(
        "never shows card data in what is wrong with it",
        arguments: [
            ("4111111111111111", "4111111111111x11"), ("\"123\"", "123"), (#""number""#, #""4111111111111111""#),
            ("2030}", "2030,\"4111111111111111\"}"), (#""body""#, #""4111111111111111""#),
        ]
    )
    func noCardData(good: String, bad: String) throws {
        let line = Fixture.authorizeLine().replacing(good, with: bad)
        let problem = #expect(throws: BatchLine.Problem.self) { try parse(line) }
        #expect(problem?.description.contains("4111") == false)
        #expect(problem?.description.contains("123") == false)
    }

    @Test("any bytes give a command or a problem")
    func fuzz() {
        var generator = SplitMix(state: 7)
        let seed = Array(Fixture.authorizeLine().utf8)
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes.suffix(place % 7), at: place)
                }
            }
            do {
                let command = try BatchLine.command(bytes)
                #expect(command.problem == nil)
            } catch {
                #expect(!error.description.contains("4111111"))
            }
        }
    }

    private func parse(_ line: String) throws(BatchLine.Problem) -> OutgoingCommand {
        try BatchLine.command(Array(line.utf8))
    }
}

/// Random words, the same ones every time (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

@Suite("A batch file", .timeLimit(.minutes(1)))
struct BatchFileTests {
    @Test("is read whole, blank lines not counted as commands but as lines")
    func entries() throws {
        let file = try TemporaryFile("\n\(Fixture.authorizeLine(key: "a"))\r\n  \t\n\(Fixture.authorizeLine(key: "b"))")
        let entries = try BatchFile.read(file.path)
        #expect(entries.map(\.line) == [2, 4])
        #expect(entries.map(\.command.idempotencyKey) == ["a", "b"])
    }

    @Test("with bad lines names every one of them by file and line")
    func badLines() throws {
        let file = try TemporaryFile("{}\n\(Fixture.authorizeLine())\nx\n")
        let failure = #expect(throws: Failure.self) { try BatchFile.read(file.path) }
        #expect(failure?.status == .usage)
        #expect(
            failure?.details == [
                "\(file.path):1: operation: is missing", "\(file.path):3: the line is not valid JSON",
            ]
        )
        #expect(failure?.lines == ["nothing was sent, because 2 lines are bad"])
    }

    @Test("with very many bad lines names the first and counts the others")
    func manyBadLines() throws {
        let file = try TemporaryFile(String(repeating: "{}\n", count: 1_000))
        let failure = #expect(throws: Failure.self) { try BatchFile.read(file.path) }
        #expect(failure?.details.count == BatchFile.maximumProblems + 1)
        #expect(failure?.details.last == "… and 980 more bad lines")
    }

    @Test("with a line that nobody can mean names that one")
    func longLine() throws {
        let file = try TemporaryFile(String(repeating: "x", count: 600_000) + "\n")
        let failure = #expect(throws: Failure.self) { try BatchFile.read(file.path) }
        #expect(failure?.details == ["\(file.path):1: the line is too long"])
    }

    @Test("that is not there is named, with the reason", arguments: ["/nowhere/at/all", "/"])
    func unreadable(path: String) {
        let failure = #expect(throws: Failure.self) { try BatchFile.read(path) }
        #expect(failure?.status == .usage)
        #expect(failure?.lines.first?.hasPrefix("\(path) cannot be read: ") == true)
    }
}
