import Core
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
