import CardSealing
import Core
import Testing

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
