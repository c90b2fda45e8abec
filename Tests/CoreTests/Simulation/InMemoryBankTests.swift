import Core
import Simulation
import StoreContract
import Synchronization
import Testing

/// The weaknesses of docs/bank.md#behaviour are there, or the traps are not tested.
@Suite("The bank in memory", .timeLimit(.minutes(1)))
struct InMemoryBankTests {
    private struct NoAnswer: Error {}

    private static func authorize(
        _ key: String,
        amount: Int64 = 5_000,
        number: String = "4111111111111111",
        cvv: String = "123",
        limit: Duration? = nil
    ) throws
        -> BankRequest
    {
        let card = try #require(CardDetails(number: number, cvv: cvv, expiryMonth: 1, expiryYear: 2000))
        return BankRequest(
            action: .authorize(card: card, amount: amount),
            idempotencyKey: key,
            traceparent: nil,
            timeout: .seconds(15),
            limit: limit
        )
    }

    private static func request(_ action: BankAction, _ key: String) -> BankRequest {
        BankRequest(action: action, idempotencyKey: key, traceparent: nil, timeout: .seconds(15))
    }

    private func simulate(
        _ configure: (inout InMemoryBank.Configuration) -> Void = { _ in },
        _ work: @escaping @Sendable (InMemoryBank, VirtualTime) async throws -> Void
    ) throws {
        let time = VirtualTime()
        var configuration = InMemoryBank.Configuration()
        configure(&configuration)
        let bank = InMemoryBank(time: time, random: SeededRandom(seed: 1), configuration: configuration)
        try StepExecutor().run(in: time) { try await work(bank, time) }
    }

    @Test("a success is replayed by its key, errors are decided anew")
    func keys() throws {
        try simulate { bank, time in
            guard case .response(let first) = await bank.send(try Self.authorize("a")) else { return }
            try await time.sleep(for: .milliseconds(10))
            guard case .response(let second) = await bank.send(try Self.authorize("a", amount: 1)) else { return }
            #expect(!first.isReplayed && second.isReplayed)
            #expect(first.body == second.body)
            #expect(bank.ledger.count == 1)
            for _ in 0..<2 {
                guard case .response(let error) = await bank.send(try Self.authorize("b", cvv: "999")) else { return }
                #expect(error.status == 400)
                #expect(!error.isReplayed)
            }
            #expect(bank.requests.count == 4)
        }
    }

    @Test("a key is not locked: two requests at the same time are two holds, and it is reported")
    func overlap() throws {
        try simulate { bank, _ in
            async let first = bank.send(try Self.authorize("a"))
            async let second = bank.send(try Self.authorize("a"))
            _ = try await (first, second)
            #expect(bank.ledger.count == 2)
            #expect(bank.overlaps == 1)
        }
    }

    @Test("whoever has an answer can rely on its key")
    func keyBeforeAnswer() throws {
        try simulate({ $0.keyDelay = .seconds(1) }) { bank, _ in
            _ = await bank.send(try Self.authorize("a"))
            _ = await bank.send(try Self.authorize("a"))
            #expect(bank.ledger.count == 1)
        }
    }

    @Test("a call that is given up on goes on until its limit, and its answer comes late")
    func timeout() throws {
        try simulate { bank, time in
            bank.delayNext(by: .seconds(16))
            let request = try Self.authorize("a", limit: .seconds(30))
            let late = Mutex<[BankAnswer]>([])
            let answer = await bank.send(request) { answer in late.withLock { $0.append(answer) } }
            #expect(answer == .noAnswer(reason: "timeout"))
            #expect(bank.ledger.isEmpty)
            try await time.sleep(for: .seconds(2))
            #expect(bank.ledger.count == 1)
            #expect(late.withLock { $0.count } == 1)
            guard case .response(let response) = await bank.send(request) else { throw NoAnswer() }
            #expect(response.isReplayed)
        }
    }

    @Test("when the caller hangs up, what is not executed is given up, and the key of what is executed is not stored")
    func hangUp() throws {
        for (cutAfter, effects) in [(Duration.milliseconds(10), 0), (.milliseconds(21), 1)] {
            try simulate { bank, time in
                let request = try Self.authorize("a")
                async let answer = bank.send(request, from: 7) { _ in }
                try await time.sleep(for: cutAfter)
                bank.hangUp(7)
                try await time.sleep(for: .seconds(1))
                #expect(bank.ledger.count == effects)
                #expect(bank.lostKeys.count == effects)
                guard case .response(let response) = await bank.send(request) else { throw NoAnswer() }
                #expect(!response.isReplayed)
                #expect(bank.ledger.count == effects + 1)
                #expect(await answer == .noAnswer(reason: "connection_cut"))
            }
        }
    }

    @Test("asking by key executes nothing: it is a replay, or a refusal")
    func inquiry() throws {
        try simulate { bank, _ in
            let authorize = try Self.authorize("a")
            let inquiry = BankRequest(
                action: .inquiry(.authorize, BankExpectation(amount: 5_000)),
                idempotencyKey: "a",
                traceparent: nil,
                timeout: .seconds(15)
            )
            guard case .response(let before) = await bank.send(inquiry) else { throw NoAnswer() }
            #expect(before.status == 400 && bank.ledger.isEmpty)
            guard case .response(let first) = await bank.send(authorize) else { throw NoAnswer() }
            guard case .response(let after) = await bank.send(inquiry) else { throw NoAnswer() }
            #expect(after.body == first.body && after.isReplayed)
            #expect(bank.ledger.count == 1)
        }
    }

    @Test(
        "a fault does what it says, once",
        arguments: [
            (.timeoutAfterExecute, 1, .noAnswer(reason: "timeout")),
            (.dropBefore, 0, .noAnswer(reason: "connection_cut")),
            (.dropAfter, 1, .noAnswer(reason: "connection_cut")), (.down, 0, .notSent(reason: "connection_refused")),
            (.cutAfterExecute, 1, .noAnswer(reason: "connection_cut")),
            (.garbage, 1, nil), (.error500, 0, nil), (.loseKey, 1, nil),
        ] as [(BankFault, Int, BankAnswer?)]
    )
    func faults(fault: BankFault, effects: Int, answer: BankAnswer?) throws {
        try simulate { bank, time in
            bank.inject(fault, into: .authorize)
            let first = await bank.send(try Self.authorize("a"))
            if let answer { #expect(first == answer) }
            #expect(bank.ledger.count == effects)
            try await time.sleep(for: .seconds(1))
            guard case .response(let second) = await bank.send(try Self.authorize("a")) else {
                Issue.record("no answer")
                return
            }
            #expect(second.status == 200)
            let isForgotten = fault == .loseKey || fault == .cutAfterExecute
            #expect(second.isReplayed == (effects == 1 && !isForgotten))
            #expect(bank.ledger.count == (isForgotten ? 2 : 1))
        }
    }

    @Test("the state rules are the bank's")
    func rules() throws {
        @Sendable func code(_ answer: BankAnswer) -> String? {
            guard case .response(let response) = answer, case .json(let body) = response.body else { return nil }
            return body["error"]?.string ?? body["status"]?.string
        }
        try simulate { bank, time in
            _ = await bank.send(try Self.authorize("a"))
            let id = try #require(bank.ledger.first?.id)
            let capture = BankAction.capture(authorizationID: id, amount: 5_000)
            #expect(
                code(await bank.send(Self.request(.capture(authorizationID: "auth_x", amount: 1), "0")))
                    == "authorization_not_found"
            )
            #expect(
                code(await bank.send(Self.request(.capture(authorizationID: id, amount: 1), "1"))) == "amount_mismatch"
            )
            #expect(code(await bank.send(Self.request(capture, "2"))) == "captured")
            #expect(code(await bank.send(Self.request(capture, "3"))) == "authorization_already_used")
            #expect(
                code(await bank.send(Self.request(.void(authorizationID: id), "4"))) == "authorization_already_used"
            )
            let captureID = try #require(bank.ledger.last?.id)
            let refund = BankAction.refund(captureID: captureID, amount: 5_000)
            #expect(
                code(await bank.send(Self.request(.refund(captureID: "cap_x", amount: 1), "5"))) == "capture_not_found"
            )
            #expect(
                code(await bank.send(Self.request(.refund(captureID: captureID, amount: 1), "6"))) == "amount_mismatch"
            )
            #expect(code(await bank.send(Self.request(refund, "7"))) == "refunded")
            #expect(code(await bank.send(Self.request(refund, "8"))) == "already_refunded")

            _ = await bank.send(try Self.authorize("b"))
            let other = try #require(bank.ledger.last?.id)
            try await time.sleep(for: .seconds(168 * 3_600))
            let late = BankAction.capture(authorizationID: other, amount: 1)
            #expect(code(await bank.send(Self.request(late, "9"))) == "authorization_expired")
            #expect(bank.account("4111111111111111")?.available == 995_000)
            #expect(code(await bank.send(Self.request(.void(authorizationID: other), "10"))) == "voided")
            #expect(bank.account("4111111111111111")?.available == 1_000_000)
        }
    }
}

@Suite("The in-memory store keeps the store contract", .timeLimit(.minutes(1)))
struct InMemoryStoreContractTests {
    struct Subject: StoreUnderTest {
        let time = VirtualTime()
        let store: InMemoryPaymentStore
        var sweeps: InMemoryPaymentStore { store }
        var members: InMemoryPaymentStore { store }

        init() {
            store = InMemoryPaymentStore(clock: time, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
        }

        var now: Timestamp { time.now() }

        func pass(_ duration: Duration) async throws {
            time.advance(by: duration)
        }
    }

    @Test("every check", arguments: StoreCheck<Subject>.all)
    func check(_ check: StoreCheck<Subject>) async throws {
        try await check.run(on: Subject())
    }
}
