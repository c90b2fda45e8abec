import Core
import Testing

extension StoreCheck {
    static var completes: [StoreCheck] {
        [
            StoreCheck("a success is completed, and replayed byte for byte") { scene in
                let command = try scene.authorize()
                let claim = try await scene.claimed(command)
                let result = StoreScene<Subject>.success(claim)
                #expect(try await scene.store.complete(result) == .completed)

                let replayed = try await scene.completed(command, isReplay: true)
                #expect(replayed.state == .succeeded)
                #expect(replayed.reply != nil)
                #expect(replayed.reply == result.operation.reply)
                #expect(try await scene.completed(command, isReplay: true).reply == replayed.reply)

                let view = try await scene.view(command.paymentID)
                #expect(view.payment == result.payment)
                #expect(view.payment.activeOperation == nil)
                #expect(view.payment.authorizedAt == StoreScene<Subject>.bankTime)
                #expect(view.operations.map(\.state) == [.succeeded])
            },
            StoreCheck("a completion is repeatable: the same one again is completed, and writes nothing twice") {
                scene in
                let claim = try await scene.claimed(try scene.authorize())
                let result = StoreScene<Subject>.success(claim)
                #expect(try await scene.store.complete(result) == .completed)
                #expect(try await scene.store.complete(result) == .completed)
                let view = try await scene.view(claim.payment.id)
                #expect(view.history.map(\.to) == [.pending, .authorized])
                #expect(view.payment.version == 2)
            },
            StoreCheck("a rest is repeatable too") { scene in
                let claim = try await scene.claimed(try scene.authorize())
                let resting = OperationResult.resting(
                    claim,
                    reason: "timeout",
                    sends: EarlierSends(unanswered: 1),
                    rest: .seconds(60)
                )
                #expect(try await scene.store.complete(resting) == .completed)
                #expect(try await scene.store.complete(resting) == .completed)
                #expect(try await scene.view(claim.payment.id).operations.map(\.state) == [.unknown])
            },
            StoreCheck("every request to the bank is shown: the failed ones once, the completing one from the reply") {
                scene in
                let command = try scene.authorize()
                let claim = try await scene.claimed(command)
                let failed = [
                    UnfinishedAttempt(verdict: .ambiguous, status: 500, code: "internal_error", age: .milliseconds(20)),
                    UnfinishedAttempt(
                        verdict: .ambiguous,
                        status: nil,
                        code: "timeout",
                        tier: .minutes2,
                        age: .milliseconds(10)
                    ),
                ]
                let resting = OperationResult.resting(
                    claim,
                    reason: "timeout",
                    sends: EarlierSends(unanswered: 1, failed: 1),
                    rest: .zero
                )
                .with(failed)
                for _ in 0..<2 { #expect(try await scene.store.complete(resting) == .completed) }
                let again = try await scene.claimedWhenFree(command)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(again)) == .completed)

                let attempts = try await scene.view(command.paymentID).attempts
                #expect(attempts.map(\.verdict) == [.ambiguous, .ambiguous, .succeeded])
                #expect(attempts.map(\.status) == [500, nil, 200])
                #expect(attempts.map(\.code) == ["internal_error", "timeout", nil])
                #expect(attempts.map(\.tier) == [nil, .minutes2, nil])
                #expect(
                    attempts.allSatisfy { $0.operation == .authorize && $0.idempotencyKey == command.idempotencyKey }
                )
                #expect(attempts.map(\.at) == attempts.map(\.at).sorted())
                #expect(try #require(attempts.last).at >= claim.operation.createdAt)
            },
            StoreCheck("what an attempt that was superseded has asked is shown too") { scene in
                let command = try scene.authorize()
                let zombie = try await scene.claimed(command, lease: StoreScene<Subject>.shortLease)
                _ = try await scene.claimedWhenFree(command)
                let late = OperationResult.resting(
                    zombie,
                    reason: "timeout",
                    sends: EarlierSends(unanswered: 1),
                    rest: .zero
                )
                .with([UnfinishedAttempt(verdict: .ambiguous, status: nil, code: "timeout", age: .zero)])
                #expect(try await scene.store.complete(late) == .superseded)
                #expect(try await scene.view(command.paymentID).attempts.map(\.code) == ["timeout"])
            },
            StoreCheck("a completion with an old fencing token is superseded, and what it learnt is in the history") {
                scene in
                let command = try scene.authorize()
                let zombie = try await scene.claimed(command, lease: StoreScene<Subject>.shortLease)
                let holder = try await scene.claimedWhenFree(command)
                let late = StoreScene<Subject>.success(zombie)
                #expect(try await scene.store.complete(late) == .superseded)

                let view = try await scene.view(command.paymentID)
                #expect(view.payment == holder.payment)
                #expect(view.operations == [holder.operation])
                let note = try #require(view.history.last)
                #expect(note.cause == late.lateNote)
                #expect(note.from == .pending)
                #expect(note.to == .pending)
                #expect(note.operation == .authorize)

                let result = StoreScene<Subject>.success(holder)
                #expect(try await scene.store.complete(result) == .completed)
                #expect(try await scene.completed(command, isReplay: true).reply == result.operation.reply)
            },
            StoreCheck("a completion with an old fencing token changes nothing after the outcome either") { scene in
                let command = try scene.authorize()
                let zombie = try await scene.claimed(command, lease: StoreScene<Subject>.shortLease)
                let result = StoreScene<Subject>.success(try await scene.claimedWhenFree(command))
                #expect(try await scene.store.complete(result) == .completed)
                let late = StoreScene<Subject>.decline(zombie, code: "insufficient_funds")
                #expect(try await scene.store.complete(late) == .superseded)
                let view = try await scene.view(command.paymentID)
                #expect(view.payment == result.payment)
                #expect(view.operations.map(\.reply) == [result.operation.reply])
                #expect(view.history.last?.cause == late.lateNote)
            },
            StoreCheck("a second authorization of one command is a possible orphan, whoever was superseded") { scene in
                let command = try scene.authorize()
                let zombie = try await scene.claimed(command, lease: StoreScene<Subject>.shortLease)
                let holder = try await scene.claimedWhenFree(command)
                let (first, second) = ("auth_\(command.paymentID)_1", "auth_\(command.paymentID)_2")
                // Which of the two is the payment's is not known yet.
                let late = StoreScene<Subject>.success(zombie, bankID: second)
                #expect(try await scene.store.complete(late) == .superseded)
                #expect(try await scene.view(command.paymentID).orphan == nil)

                #expect(
                    try await scene.store.complete(StoreScene<Subject>.success(holder, bankID: first)) == .completed
                )
                let same = StoreScene<Subject>.success(zombie, bankID: first)
                #expect(try await scene.store.complete(same) == .superseded)
                #expect(try await scene.view(command.paymentID).orphan == nil)
                #expect(try await scene.store.complete(late) == .stray)
                let view = try await scene.view(command.paymentID)
                #expect(view.orphan == .suspected)
                #expect(view.payment.bank.authorizationID == first)
                #expect(view.history.last?.cause == late.lateNote + LateAuthorization.strayNote)
            },
            StoreCheck("a second authorization is found by comparing, when its attempt is long gone") { scene in
                let (declined, same) = (try scene.authorize(), try scene.authorize())
                let command = try scene.authorize()
                var holders: [Command: Claim] = [:]
                for command in [command, declined, same] {
                    let zombie = try await scene.claimed(command, lease: StoreScene<Subject>.shortLease)
                    holders[command] = try await scene.claimedWhenFree(command)
                    let late = StoreScene<Subject>.success(zombie, bankID: "auth_\(command.paymentID)_late")
                    // Twice: the answer to its commit may be lost.
                    for _ in 0..<2 { #expect(try await scene.store.complete(late) == .superseded) }
                }
                // Other scenes' rows may be among those compared, never among the undecided of this one.
                let compare = {
                    try await scene.sweeps.compareLateAuthorizations(limit: 1_000)
                        .filter { $0.merchantID == scene.merchant }.map(\.paymentID)
                }
                #expect(try await compare() == [])

                for (command, claim) in holders {
                    let result =
                        command == declined
                        ? StoreScene<Subject>.decline(claim, code: "insufficient_funds")
                        : StoreScene<Subject>.success(
                            claim,
                            bankID: "auth_\(command.paymentID)_\(command == same ? "late" : "first")"
                        )
                    #expect(try await scene.store.complete(result) == .completed)
                }
                #expect(Set(try await compare()) == [command.paymentID, declined.paymentID])
                #expect(try await compare() == [])
                for stray in [command, declined] {
                    let view = try await scene.view(stray.paymentID)
                    #expect(view.orphan == .suspected)
                    let cause = LateAuthorization.strayCause("auth_\(stray.paymentID)_late")
                    #expect(view.history.last?.cause == cause)
                }
                let view = try await scene.view(same.paymentID)
                #expect(view.orphan == nil && view.history.last?.cause.contains("late") == false)
            },
            StoreCheck("so is one of a command that the store has forgotten, where another got the payment") { scene in
                let lost = try scene.authorize()
                let decision = ClaimDecision(
                    scene.request(lost),
                    existing: nil,
                    payment: nil,
                    now: StoreScene<Subject>.bankTime,
                    fingerprinter: Fingerprinter(secret: Array("of a process that is gone".utf8))
                )
                guard case .claimed(let claim) = decision.outcome else { throw StoreScene<Subject>.Unexpected() }
                let late = StoreScene<Subject>.success(claim, bankID: "auth_\(lost.paymentID)_lost")
                // Nothing is known of the payment: nothing to compare.
                #expect(try await scene.store.complete(late) == .superseded)

                let payment = try await scene.succeeded(try scene.authorize(lost.paymentID))
                #expect(try await scene.store.complete(late) == .stray)
                let view = try await scene.view(lost.paymentID)
                #expect(view.orphan == .suspected)
                #expect(view.payment == payment)
            },
            StoreCheck("an error answer that was seen after its sender's death is no unanswered request") { scene in
                let command = try scene.authorize()
                let first = try await scene.claimed(command, lease: StoreScene<Subject>.shortLease)
                try await scene.store.noteError(answering: RequestOrigin(first.operation))
                let second = try await scene.claimedWhenFree(command, lease: StoreScene<Subject>.shortLease)
                #expect(second.operation.sends == EarlierSends(unanswered: 0, failed: 1))
                // Of an attempt that somebody else has taken over already: too late.
                try await scene.store.noteError(answering: RequestOrigin(first.operation))
                let third = try await scene.claimedWhenFree(command)
                #expect(third.operation.sends == EarlierSends(unanswered: 1, failed: 1))
                #expect(try await scene.store.complete(StoreScene<Subject>.success(third)) == .completed)
                try await scene.store.noteError(answering: RequestOrigin(third.operation))
                #expect(try await scene.completed(command, isReplay: true).state == .succeeded)
            },
            StoreCheck("an unroutable reply is recorded, as often as it is told") { scene in
                let command = try scene.authorize()
                let claim = try await scene.claimed(command)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(claim)) == .completed)
                let operation = try await scene.completed(command, isReplay: true)
                #expect(operation.state == .succeeded && !operation.isNotified)
                for _ in 0..<2 { try await scene.store.recordNotified(operation, isUndeliverable: true) }
                #expect(try await scene.completed(command, isReplay: true).isNotified)
            },
            StoreCheck("what cannot be stored does not fail its neighbours") { scene in
                let taken = try await scene.authorized()
                var claims: [Claim] = []
                for _ in 0..<12 { claims.append(try await scene.claimed(try scene.authorize())) }
                let results = claims.enumerated().map { index, claim in
                    // The bank never gives an id twice: the constraint holds where it does
                    // (docs/correctness.md#replays-ignore-the-body).
                    StoreScene<Subject>.success(claim, bankID: index == 5 ? taken.bank.authorizationID : nil)
                }
                let refused = await withTaskGroup(of: Int?.self) { group in
                    for (index, result) in results.enumerated() {
                        group.addTask {
                            do throws(StoreError) {
                                return try await scene.store.complete(result) == .completed ? nil : index
                            } catch {
                                return error.code == .bankIDTaken ? index : -1
                            }
                        }
                    }
                    return await group.reduce(into: [Int]()) { found, index in index.map { found.append($0) } }
                }
                #expect(refused == [5])
                for (index, claim) in claims.enumerated() {
                    let view = try await scene.view(claim.payment.id)
                    #expect(view.payment.status == (index == 5 ? .pending : .authorized))
                }
            },
        ]
    }
}
