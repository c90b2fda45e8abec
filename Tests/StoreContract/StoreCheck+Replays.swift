import CardSealing
package import Core
import Testing

extension StoreCheck {
    static var replays: [StoreCheck] {
        [
            StoreCheck("a replay is read back as it was asked for; one of nothing is finished") { scene in
                let order = ReplayOrder(
                    requestedBy: "ada",
                    filter: .object(["code": .string("unrouted"), "limit": .integer(3)]),
                    pace: ReplayPace(perSecond: 7, failureShare: 0.5)
                )
                let ids = (0..<3).map { _ in DeadLetterID(.random) }
                let run = try await scene.store.createReplay(ReplayID(.random), order, of: ids)
                #expect(run.order == order && run.state == .running && run.fencingToken == 0)
                #expect(run.counts == ReplayRun.Counts(selected: 3) && run.finishedAt == nil)
                #expect(try await scene.store.replay(run.id) == run)
                #expect(try await scene.store.replayView(run.id) == ReplayView(run: run, problems: []))
                // The list is by time, then by id, and ids are made up here.
                try await scene.subject.pass(.milliseconds(5))
                let empty = try await scene.store.createReplay(
                    ReplayID(.random),
                    ReplayOrder(requestedBy: "ada"),
                    of: []
                )
                #expect(empty.state == .finished && empty.finishedAt != nil && empty.order.filter == nil)
                #expect(try await scene.store.takeReplay(empty.id) == nil)
                #expect(try await scene.store.replays(limit: 2).map(\.id) == [empty.id, run.id])
                #expect(try await scene.store.replays(limit: 1).map(\.id) == [empty.id])
                let nobody = ReplayID(.random)
                #expect(try await scene.store.replay(nobody) == nil)
                #expect(try await scene.store.replayView(nobody) == nil)
                #expect(try await scene.store.stopReplay(nobody, by: "ada") == nil)
            },
            StoreCheck("one process has a replay; what it notes is counted once, and stays for the next one") { scene in
                let ids = (0..<5).map { _ in DeadLetterID(.random) }
                let run = try await scene.replay(of: ids)
                let first = try #require(try await scene.store.takeReplay(run.id))
                #expect(first.fencingToken == 1)
                #expect(try await scene.store.takeReplay(run.id) == nil)
                let items: [DeadLetterReport.Item] = [
                    .done, .failed("lost"), .skipped("replayed already", isHarmless: true),
                    .skipped("no card", isHarmless: false),
                ]
                for (id, item) in zip(ids, items) {
                    for _ in 0..<2 {
                        let entry = DeadLetterReport.Entry(id: id, item: item)
                        #expect(try await scene.store.note(first.claim, entry) == .goOn)
                    }
                }
                #expect(try await scene.store.note(first.claim, nil) == .goOn)
                var counts = ReplayRun.Counts(selected: 5)
                (counts.replayed, counts.failed, counts.skipped, counts.refused) = (1, 1, 2, 1)
                let view = try #require(try await scene.store.replayView(run.id))
                #expect(view.run.counts == counts && view.run.state == .running)
                #expect(
                    view.problems == [
                        ReplayView.Problem(deadLetter: ids[1], result: .failed, reason: "lost"),
                        ReplayView.Problem(deadLetter: ids[2], result: .skipped, reason: "replayed already"),
                        ReplayView.Problem(deadLetter: ids[3], result: .refused, reason: "no card"),
                    ]
                )
                // Given back, and taken by another: the first one has nothing more to say.
                try await scene.store.endReplay(first.claim, nil, reason: nil)
                let second = try #require(try await scene.store.takeReplay(run.id))
                #expect(second.fencingToken == 2 && second.counts == counts)
                let late = DeadLetterReport.Entry(id: ids[4], item: .done)
                #expect(try await scene.store.note(first.claim, late) == .superseded)
                try await scene.store.endReplay(first.claim, .failed, reason: "late")
                let left = try await scene.store.remainingDeadLetters(of: run.id, after: 0, limit: 10)
                #expect(left == [ReplayPosition(position: 5, deadLetter: ids[4])])
                #expect(try await scene.store.remainingDeadLetters(of: run.id, after: 5, limit: 10).isEmpty)
                try await scene.store.endReplay(second.claim, .finished, reason: nil)
                let ended = try #require(try await scene.store.replay(run.id))
                #expect(ended.state == .finished && ended.finishedAt != nil && ended.reason == nil)
                #expect(try await scene.store.note(second.claim, late) == .superseded)
                #expect(try await scene.store.takeReplay(run.id) == nil)
            },
            StoreCheck("a replay is stopped at once where nobody is at it, else before its next dead letter") { scene in
                let ids = [DeadLetterID(.random)]
                let waiting = try await scene.replay(of: ids)
                let stopped = try await scene.store.stopReplay(waiting.id, by: "ada")
                #expect(stopped?.state == .stopped && stopped?.stoppedBy == "ada")
                #expect(try await scene.store.takeReplay(waiting.id) == nil)
                let again = try await scene.store.stopReplay(waiting.id, by: "bob")
                #expect(again == stopped)

                let run = try #require(try await scene.store.takeReplay(try await scene.replay(of: ids).id))
                #expect(try await scene.store.stopReplay(run.id, by: "ada")?.state == .running)
                #expect(try await scene.store.note(run.claim, nil) == .stop)
                try await scene.store.endReplay(run.claim, .stopped, reason: nil)
                let ended = try await scene.store.stopReplay(run.id, by: "bob")
                #expect(ended?.state == .stopped && ended?.stoppedBy == "ada")
            },
            StoreCheck("a replay is withdrawn only where no process has ever had it") { scene in
                let ids = [DeadLetterID(.random)]
                let waiting = try await scene.replay(of: ids)
                #expect(try await scene.store.withdrawReplay(waiting.id, reason: "no broker"))
                let withdrawn = try #require(try await scene.store.replay(waiting.id))
                #expect(withdrawn.state == .failed && withdrawn.reason == "no broker")
                let run = try #require(try await scene.store.takeReplay(try await scene.replay(of: ids).id))
                #expect(try await scene.store.withdrawReplay(run.id, reason: "no broker") == false)
                #expect(try await scene.store.replay(run.id)?.state == .running)
            },
        ]
    }
}

extension StoreScene {
    fileprivate func replay(of ids: [DeadLetterID]) async throws -> ReplayRun {
        try await store.createReplay(ReplayID(.random), ReplayOrder(requestedBy: "ada"), of: ids)
    }
}

extension DeadLetterService {
    /// As a row, run in this process.
    package func replay(
        _ ids: [DeadLetterID],
        by actor: String,
        pace: ReplayPace = ReplayPace()
    ) async throws -> DeadLetterReport {
        let run = try await order(ids, ReplayOrder(requestedBy: actor, pace: pace))
        _ = try await runHere(run.id)
        return DeadLetterReport(try #require(try await replays.replayView(run.id)))
    }
}

extension StoreCheck {
    static var sealedCards: [StoreCheck] {
        [
            StoreCheck("a dead letter keeps its sealed card until its replay has ended, and the audit says so") {
                scene in
                let deadLetter = try scene.deadLetter(.authorize, "a", sealedFor: .generated(.p256))
                #expect(deadLetter.content.isReplayable && !deadLetter.content.isWhole)
                #expect(deadLetter.content.card == "411111******1111")
                #expect(try await scene.store.keep(deadLetter) == .stored)
                #expect(try await scene.store.deadLetter(deadLetter.id)?.deadLetter == deadLetter)
                #expect(try await scene.sweeps.removeOld(SweepPolicy()) == 0)
                let claim = ReplayClaim.random
                guard case .publish(let next) = try await scene.store.beginReplay(deadLetter.id, by: "who", claim)
                else {
                    Issue.record("not published")
                    return
                }
                let body = try JSONParser.parse(next.replayCopy.body)
                #expect(body["sealed_card"]?.string == deadLetter.content.sealedCard)
                #expect(body["order_id"]?.string == "o" && body["card"] == nil)
                // One that is being replayed keeps it, whatever time it is.
                var policy = SweepPolicy()
                policy.keepsSealedCards = .zero
                try await scene.subject.pass(.milliseconds(5))
                #expect(try await scene.sweeps.removeOld(policy) == 0)
                #expect(try await scene.store.endReplay(deadLetter.id, by: "who", claim, .replayed))
                let view = try #require(try await scene.store.deadLetter(deadLetter.id))
                #expect(view.deadLetter.content.sealedCard == nil && !view.deadLetter.content.isReplayable)
                #expect(view.audit.map(\.result) == ["started", "replayed", "erased"])
                #expect(view.audit.last?.reason == SealedCardErasure.closed.rawValue)
                #expect(try await scene.sweeps.removeOld(policy) == 0)
            },
            StoreCheck("one that was not published keeps it; one that is discarded does not") { scene in
                let deadLetter = try scene.deadLetter(.authorize, "a", sealedFor: .generated(.x25519))
                _ = try await scene.store.keep(deadLetter)
                let claim = ReplayClaim.random
                _ = try await scene.store.beginReplay(deadLetter.id, by: "who", claim)
                #expect(try await scene.store.endReplay(deadLetter.id, by: "who", claim, .notPublished(reason: "full")))
                let open = try await scene.store.deadLetter(deadLetter.id)?.deadLetter
                #expect(open?.content == deadLetter.content)
                _ = try await scene.store.discard(deadLetter.id, by: "who", reason: "not needed")
                let view = try #require(try await scene.store.deadLetter(deadLetter.id))
                #expect(view.deadLetter.content.sealedCard == nil)
                #expect(view.audit.suffix(2).map(\.action) == ["discard", SealedCardErasure.action])
                #expect(view.audit.last?.actor == "who")
            },
            StoreCheck("it is erased when its time is over, or its operation complete; a batch at a time") { scene in
                let command = try scene.authorize()
                let (key, other) = (CardKey.generated(.p256), CardKey.generated(.p256))
                let own = try scene.deadLetter(.authorize, "own", command, sealedFor: key)
                let others = try (1...3).map { try scene.deadLetter(.authorize, "other-\($0)", sealedFor: other) }
                for deadLetter in [own] + others { _ = try await scene.store.keep(deadLetter) }
                #expect(try await scene.sweeps.removeOld(SweepPolicy()) == 0)
                _ = try await scene.succeeded(command)
                #expect(try await scene.sweeps.removeOld(SweepPolicy()) == 1)
                let view = try #require(try await scene.store.deadLetter(own.id))
                #expect(view.deadLetter.content.sealedCard == nil && view.deadLetter.state == .open)
                #expect(view.audit.map(\.actor) == [SealedCardErasure.actor])
                #expect(view.audit.first?.reason == SealedCardErasure.completed.rawValue)
                var policy = SweepPolicy(batch: 2)
                policy.keepsSealedCards = .zero
                try await scene.subject.pass(.milliseconds(5))
                var erased: [Int] = []
                while erased.last != 0 { erased.append(try await scene.sweeps.removeOld(policy)) }
                #expect(erased == [2, 1, 0])
                for deadLetter in others {
                    let view = try #require(try await scene.store.deadLetter(deadLetter.id))
                    #expect(view.audit.map(\.reason) == [SealedCardErasure.expired.rawValue])
                    let step = try await scene.store.replayStep(of: deadLetter.id)
                    #expect(step == .skip(.cardReduced))
                }
            },
        ]
    }
}

extension StoreScene {
    /// A dead letter of the scene's merchant, read as the ingester reads it.
    ///
    /// - Parameters:
    ///   - name: tells its failure from others of the same message.
    ///   - command: whose message it is; `nil`: one of nobody's payment.
    ///   - key: what the card of an authorize is sealed for; `nil`: it is plain.
    ///   - ago: seconds since it failed; in whole seconds by this machine's clock, for the filters by age.
    func deadLetter(
        _ kind: OperationKind,
        _ name: String,
        _ command: Command? = nil,
        origin: DeadLetterOrigin = .processor,
        id: DeadLetterID = DeadLetterID(.random),
        instance: FailureInstance? = nil,
        sealedFor key: CardKey? = nil,
        ago: Int = 0,
        _ change: (inout Message) -> Void = { _ in }
    ) throws -> DeadLetter {
        let card = #"{"number":"4111111111111111","cvv":"123","expiry_month":12,"expiry_year":2030}"#
        let paymentID = command?.paymentID ?? PaymentID(.random)
        var body = #"{"order_id":"o","customer_id":"c","amount":5000,"card":\#(card)}"#
        if let key {
            let content = try JSONParser.parse(Array(card.utf8))
            let token = try CardSealer.seal(content, for: paymentID.description, with: key.publicKey)
            body = #"{"order_id":"o","customer_id":"c","amount":5000,"sealed_card":"\#(token)"}"#
        }
        let failedAt = subject.now.advanced(by: .seconds(-ago))
        var message = Message(
            type: kind.commandType,
            contentType: "application/json",
            messageID: "message-\(name)",
            headers: [
                HeaderName.paymentID: .string(paymentID.description),
                HeaderName.merchantID: .string(merchant.description),
                HeaderName.idempotencyKey: .string(command?.idempotencyKey.description ?? "key-\(name)"),
                HeaderName.errorCode: .string(DeadLetterFailure.needsAttention),
                HeaderName.errorMessage: .string("echo_differs"),
                HeaderName.failedAt: .integer(failedAt.microseconds),
            ],
            body: kind == .authorize ? Array(body.utf8) : Array("{}".utf8)
        )
        change(&message)
        let reader = DeadLetterReader(
            fingerprinter: Fingerprinter(secret: Array(id.description.utf8)),
            cards: CardIntake(keys: try CardKeyring(key.map { [$0] } ?? []))
        )
        let deadLetter = reader.deadLetter(message, origin, id: id, now: failedAt)
        return DeadLetter(
            id: deadLetter.id,
            instance: instance ?? deadLetter.instance,
            failure: deadLetter.failure,
            command: deadLetter.command,
            content: deadLetter.content,
            replayOf: deadLetter.replayOf
        )
    }
}

extension FailureInstance {
    static var random: FailureInstance {
        FailureInstance(bytes: (0..<32).map { _ in UInt8.random(in: 0...255) })
    }
}

extension ReplayClaim {
    /// Of a replay of its own.
    static var random: ReplayClaim { ReplayClaim(replay: ReplayID(.random), fencingToken: 1) }
}
