import Testing

@testable import BankSimulator

@Suite("The bank's books", .timeLimit(.minutes(1)))
struct BankTests {
    private var bank = Bank(accounts: CardAccount.testCards(balance: nil), authorizationLifetime: 60)
    private var generator = SplitMix64(seed: 3)
    private let now = ManualClock.start

    private mutating func execute(_ command: BankCommand, after seconds: Int64 = 0) -> BankAnswer {
        bank.execute(command, key: "k", at: now.adding(seconds: seconds), id: EffectID(using: &generator))
    }

    private mutating func authorize(_ amount: Int64) throws -> EffectID {
        let request = AuthorizeRequest(cardNumber: "4242424242424242", cvv: "456", amount: amount)
        guard case .authorized(let record) = execute(.authorize(request)) else { throw Refused() }
        return record.id
    }

    private mutating func capture(_ id: EffectID, _ amount: Int64) throws -> EffectID {
        let command = BankCommand.capture(authorizationID: id, amount: amount)
        guard case .captured(let record) = execute(command) else { throw Refused() }
        return record.id
    }

    private struct Refused: Error {}

    private func expectBalance(_ balance: Int64, available: Int64, _ location: SourceLocation = #_sourceLocation) {
        #expect(bank.accounts[1].balance == balance, sourceLocation: location)
        #expect(bank.accounts[1].available == available, sourceLocation: location)
    }

    @Test("authorize holds, capture takes, refund gives both back")
    mutating func captured() throws {
        let authorization = try authorize(20_000)
        expectBalance(50_000, available: 30_000)
        let capture = try capture(authorization, 20_000)
        expectBalance(30_000, available: 30_000)
        _ = execute(.refund(captureID: capture, amount: 20_000))
        expectBalance(50_000, available: 50_000)
        #expect(execute(.refund(captureID: capture, amount: 20_000)) == .refused(.alreadyRefunded))
        expectBalance(50_000, available: 50_000)
    }

    @Test("a void gives the hold back, once")
    mutating func voided() throws {
        let authorization = try authorize(20_000)
        guard case .voided = execute(.void(authorizationID: authorization)) else { throw Refused() }
        expectBalance(50_000, available: 50_000)
        #expect(execute(.void(authorizationID: authorization)) == .refused(.authorizationAlreadyUsed))
        expectBalance(50_000, available: 50_000)
    }

    @Test("holds add up to the balance and no further")
    mutating func insufficient() throws {
        _ = try authorize(30_000)
        _ = try authorize(20_000)
        let request = AuthorizeRequest(cardNumber: "4242424242424242", cvv: "456", amount: 1)
        #expect(execute(.authorize(request)) == .refused(.insufficientFunds))
        expectBalance(50_000, available: 0)
    }

    @Test("an expired hold stays until it is voided")
    mutating func expired() throws {
        let authorization = try authorize(20_000)
        let command = BankCommand.capture(authorizationID: authorization, amount: 20_000)
        #expect(execute(command, after: 60) == .refused(.authorizationExpired))
        expectBalance(50_000, available: 30_000)
        guard case .voided = execute(.void(authorizationID: authorization), after: 61) else { throw Refused() }
        expectBalance(50_000, available: 50_000)
    }

    @Test("a capture after a void and a void after a capture find the authorization used")
    mutating func used() throws {
        let captured = try authorize(1_000)
        _ = try capture(captured, 1_000)
        #expect(execute(.void(authorizationID: captured)) == .refused(.authorizationAlreadyUsed))
        #expect(
            execute(.capture(authorizationID: captured, amount: 1_000)) == .refused(.authorizationAlreadyUsed)
        )
        let voided = try authorize(1_000)
        _ = execute(.void(authorizationID: voided))
        #expect(execute(.capture(authorizationID: voided, amount: 1_000)) == .refused(.authorizationAlreadyUsed))
    }

    @Test("the ledger holds the effects in order, and only effects")
    mutating func ledger() throws {
        let authorization = try authorize(1_000)
        _ = execute(.capture(authorizationID: authorization, amount: 2))
        let capture = try capture(authorization, 1_000)
        _ = execute(.refund(captureID: capture, amount: 1_000))
        let other = try authorize(500)
        _ = execute(.void(authorizationID: other))

        #expect(bank.ledger.map(\.operation) == [.authorize, .capture, .refund, .authorize, .void])
        #expect(bank.ledger.map(\.amount) == [1_000, 1_000, 1_000, 500, 500])
        #expect(bank.ledger.map(\.authorizationID) == [authorization, authorization, authorization, other, other])
        #expect(bank.ledger.map(\.captureID) == [nil, capture, capture, nil, nil])
        #expect(Set(bank.ledger.map(\.id)).count == 5)
    }

    @Test("a used authorization is still found, as it was")
    mutating func find() throws {
        let authorization = try authorize(1_000)
        let capture = try capture(authorization, 1_000)
        guard case .authorized(let record) = bank.find(.authorization(authorization)) else { throw Refused() }
        #expect(record.amount == 1_000 && record.isUsed)
        guard case .captured = bank.find(.capture(capture)) else { throw Refused() }
        #expect(bank.find(.capture(authorization)) == .refused(.notFound))
        #expect(bank.find(.authorization(nil)) == .refused(.notFound))
        #expect(bank.find(.refund(nil)) == .refused(.notFound))
    }

    @Test("a configured balance is given to every card but the one without funds")
    func configuredBalance() {
        let balances = CardAccount.testCards(balance: 77).map { "\($0.lastFour) \($0.available)" }
        #expect(balances == ["1111 77", "4242 77", "4444 0", "5100 77"])
    }
}

@Suite("Identifiers", .timeLimit(.minutes(1)))
struct EffectIDTests {
    @Test("a text is a lower-case UUID of version 4 with its prefix, and is read back", arguments: UInt64(0)..<50)
    func roundTrip(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let id = EffectID(using: &generator)
        let text = id.text(.capture)
        let pattern = #/cap_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/#
        #expect(text.wholeMatch(of: pattern) != nil)
        #expect(EffectID(text, .capture) == id)
        #expect(EffectID(text, .refund) == nil)
    }

    @Test(
        "anything else is no identifier",
        arguments: [
            "", "auth_", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "auth_6f9619ff-8b86-4d01-b42d-00cf4fc964f",
            "auth_6f9619ff-8b86-4d01-b42d-00cf4fc964fff", "auth_6F9619FF-8B86-4D01-B42D-00CF4FC964FF",
            "auth_6f9619ff08b86-4d01-b42d-00cf4fc964ff", "auth_6f9619f--8b86-4d01-b42d-00cf4fc964ff",
            "auth_6f9619fg-8b86-4d01-b42d-00cf4fc964ff", "auth_ééééééééééééééééée",
        ]
    )
    func illFormed(text: String) {
        #expect(EffectID(text, .authorization) == nil)
    }
}

@Suite("Idempotency keys", .timeLimit(.minutes(1)))
struct IdempotencyKeysTests {
    private var keys = IdempotencyKeys()
    private let now = ManualClock.start
    private let first = BankAnswer.refused(.internalError)
    private let second = BankAnswer.refused(.notFound)

    @Test("a key is seen as soon as it is stored, for its own operation only")
    mutating func visibility() {
        #expect(keys.replay(.capture, key: "k", at: now) == nil)
        keys.store(first, for: .capture, key: "k", at: now)
        #expect(keys.replay(.capture, key: "k", at: now) == first)
        #expect(keys.replay(.void, key: "k", at: now) == nil)
        #expect(keys.replay(.capture, key: "K", at: now) == nil)
    }

    @Test("the first answer stays")
    mutating func firstStays() {
        keys.store(first, for: .capture, key: "k", at: now)
        keys.store(second, for: .capture, key: "k", at: now.adding(seconds: 1))
        #expect(keys.replay(.capture, key: "k", at: now.adding(seconds: 1)) == first)
    }

    @Test("a key is forgotten after 24 hours on the simulator's clock, and can be stored anew")
    mutating func forgotten() {
        keys.store(first, for: .capture, key: "k", at: now)
        let lastSecond = now.adding(seconds: 86_399)
        #expect(keys.replay(.capture, key: "k", at: lastSecond) == first)
        let dayLater = now.adding(seconds: 86_400)
        #expect(keys.replay(.capture, key: "k", at: dayLater) == nil)
        keys.store(second, for: .capture, key: "k", at: dayLater)
        #expect(keys.replay(.capture, key: "k", at: dayLater) == second)
    }

    @Test("a key of 255 characters is stored, a longer one is not", arguments: [(255, true), (256, false)])
    mutating func length(length: Int, isStored: Bool) {
        let key = String(repeating: "é", count: length)
        keys.store(first, for: .capture, key: key, at: now)
        #expect((keys.replay(.capture, key: key, at: now) != nil) == isStored)
    }
}

@Suite("The log of requests", .timeLimit(.minutes(1)))
struct RequestLogTests {
    @Test("it keeps the last requests in order")
    func ring() {
        var log = RequestLog(capacity: 3)
        #expect(log.records(after: 0).isEmpty)
        for number in 1...5 { #expect(log.append(path: "/\(number)", idempotencyKey: nil) == number) }
        #expect(log.records(after: 0).map(\.sequence) == [3, 4, 5])
        #expect(log.records(after: 0).map(\.path) == ["/3", "/4", "/5"])
        #expect(log.records(after: 4).map(\.sequence) == [5])
        #expect(log.records(after: 5).isEmpty)
        #expect(log.records(after: .max).isEmpty)
    }

    @Test("a request that is no longer remembered cannot be changed, nor can its successor by mistake")
    func update() {
        var log = RequestLog(capacity: 2)
        for _ in 1...3 { _ = log.append(path: "/", idempotencyKey: nil) }
        log.update(1) { $0.status = 500 }
        log.update(2) { $0.status = 200 }
        #expect(log.records(after: 0).map(\.status) == [200, nil])
    }
}

@Suite("Instants as text", .timeLimit(.minutes(1)))
struct TimestampTests {
    @Test(
        "RFC 3339 and the Date header agree with the calendar",
        arguments: [
            (0, "1970-01-01T00:00:00.000000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "1969-12-31T23:59:59.999999999Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            (784_111_777_000_000_001, "1994-11-06T08:49:37.000000001Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_767_323_045_123_456_789, "2026-01-02T03:04:05.123456789Z", "Fri, 02 Jan 2026 03:04:05 GMT"),
            (1_924_991_999_999_999_999, "2030-12-31T23:59:59.999999999Z", "Tue, 31 Dec 2030 23:59:59 GMT"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] as [(Int64, String, String)]
    )
    func text(nanoseconds: Int64, rfc3339: String, httpDate: String) {
        let timestamp = Timestamp(nanoseconds: nanoseconds)
        #expect(timestamp.rfc3339(.nanoseconds) == rfc3339)
        #expect(timestamp.rfc3339(.microseconds) == String(rfc3339.dropLast(4)) + "Z")
        #expect(timestamp.httpDate == httpDate)
    }
}
