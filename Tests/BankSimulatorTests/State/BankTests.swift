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
