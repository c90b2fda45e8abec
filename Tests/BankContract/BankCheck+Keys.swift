import Core
import Testing

extension BankCheck {
    static var keys: [BankCheck] {
        [
            BankCheck("a success is replayed by its key, byte for byte, and marked") { scene in
                let first = try #require(try await scene.authorize("a").response)
                try await scene.subject.pass(.milliseconds(50))
                let second = try #require(try await scene.authorize("a").response)
                #expect(first.status == 200 && !first.isReplayed)
                #expect(second.status == 200 && second.isReplayed)
                #expect(first.body == second.body)
                #expect(try await scene.effects("a") == 1)
            },
            BankCheck("on a replay it does not look at what is asked") { scene in
                let first = try #require(try await scene.authorize("a", amount: 5_000).response)
                try await scene.subject.pass(.milliseconds(50))
                let second = try #require(try await scene.authorize("a", amount: 7_000).response)
                #expect(second.isReplayed)
                #expect(first.body == second.body)
            },
            BankCheck("a refusal is not stored: it is decided anew") { scene in
                #expect(try await scene.authorize("a", cvv: "999").refusal == "400 invalid_cvv")
                try await scene.subject.pass(.milliseconds(50))
                let again = try #require(try await scene.authorize("a", cvv: "999").response)
                #expect(!again.isReplayed)
                let success = try #require(try await scene.authorize("a").response)
                #expect(success.status == 200 && !success.isReplayed)
            },
            BankCheck("a key is not locked: two requests at the same time are two holds") { scene in
                for _ in 0..<2 { try await scene.subject.cause(.latency, on: .authorize) }
                async let first = scene.authorize("a")
                async let second = scene.authorize("a")
                let answers = try await [first, second]
                #expect(answers.allSatisfy { $0.response?.status == 200 && $0.response?.isReplayed == false })
                #expect(try await scene.effects("a") == 2)
            },
        ]
    }

    static var troubles: [BankCheck] {
        let rows: [(trouble: BankTrouble, effects: Int, isReplayedNext: Bool, shows: @Sendable (BankAnswer) -> Bool)] =
            [
                (.dropBefore, 0, false, { $0.isUnanswered }), (.dropAfter, 1, true, { $0.isUnanswered }),
                (
                    .garbage, 1, true,
                    { answer in
                        if case .text? = answer.response?.body { true } else { false }
                    }
                ), (.error500, 0, false, { $0.refusal == "500 internal_error" }),
                (.loseKey, 1, false, { $0.response?.status == 200 }),
            ]
        return rows.map { row in
            BankCheck("\(row.trouble.rawValue) does what it says, once") { scene in
                try await scene.subject.cause(row.trouble, on: .authorize)
                #expect(row.shows(try await scene.authorize("a")))
                #expect(try await scene.effects("a") == row.effects)
                try await scene.subject.pass(.milliseconds(100))
                let next = try #require(try await scene.authorize("a").response)
                #expect(next.status == 200)
                #expect(next.isReplayed == row.isReplayedNext)
                #expect(try await scene.effects("a") == (row.trouble == .loseKey ? 2 : 1))
            }
        }
    }

    static var rules: [BankCheck] {
        [
            BankCheck("an authorization is captured or voided, once") { scene in
                let used = "400 authorization_already_used"
                let id = try await scene.authorization()
                let capture = BankAction.capture(authorizationID: id, amount: 5_000)
                let short = BankAction.capture(authorizationID: id, amount: 1)
                #expect(await scene.send(short, "1").refusal == "400 amount_mismatch")
                _ = try await scene.succeed(capture, "2")
                #expect(await scene.send(capture, "3").refusal == used)
                #expect(await scene.send(.void(authorizationID: id), "4").refusal == used)
                let other = try await scene.authorization("b")
                _ = try await scene.succeed(.void(authorizationID: other), "5")
                #expect(await scene.send(.void(authorizationID: other), "6").refusal == used)
                #expect(await scene.send(.capture(authorizationID: other, amount: 5_000), "7").refusal == used)
            },
            BankCheck("a capture is refunded once") { scene in
                let id = try await scene.authorization()
                let captured = try await scene.succeed(.capture(authorizationID: id, amount: 5_000), "c").bankID
                let short = BankAction.refund(captureID: captured, amount: 1)
                #expect(await scene.send(short, "1").refusal == "400 amount_mismatch")
                _ = try await scene.succeed(.refund(captureID: captured, amount: 5_000), "2")
                let again = BankAction.refund(captureID: captured, amount: 5_000)
                #expect(await scene.send(again, "3").refusal == "400 already_refunded")
            },
            BankCheck("what it does not know it refuses") { scene in
                let nothing = "auth_00000000-0000-4000-8000-000000000000"
                let capture = BankAction.capture(authorizationID: nothing, amount: 1)
                #expect(await scene.send(capture, "1").refusal == "400 authorization_not_found")
                let void = BankAction.void(authorizationID: nothing)
                #expect(await scene.send(void, "2").refusal == "400 authorization_not_found")
                let refund = BankAction.refund(captureID: "cap_00000000-0000-4000-8000-000000000000", amount: 1)
                #expect(await scene.send(refund, "3").refusal == "400 capture_not_found")
                let answer = try await scene.authorize("4", number: "4000000000000002")
                #expect(answer.refusal == "400 invalid_card")
            },
        ]
    }
}
