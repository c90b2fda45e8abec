import Core
import Testing

extension StoreCheck {
    static var members: [StoreCheck] {
        [
            StoreCheck("members see each other, with what they are subscribed to, until they sign off") { scene in
                let (first, second) = ("first-\(UniqueID.random)", "second-\(UniqueID.random)")
                let alone = try await scene.renew(first, [])
                #expect(alone.map(\.id) == [first])
                try await scene.subject.pass(.milliseconds(5))
                let both = try await scene.renew(second, [3, 1])
                #expect(both.map(\.id) == [first, second])
                #expect(both.map(\.subscribed) == [[], [1, 3]])
                #expect(both.map(\.version) == ["1.0", "1.0"])
                #expect(both[0].lastSeen < both[1].lastSeen)
                let again = try await scene.renew(first, [0])
                #expect(again.map(\.subscribed) == [[0], [1, 3]])
                #expect(again[0].startedAt == alone[0].startedAt)
                #expect(again[0].lastSeen > alone[0].lastSeen)
                #expect(try await scene.subject.members.members(timeout: .seconds(10)) == again)
                try await scene.subject.members.removeMember(second)
                try await scene.subject.members.removeMember(second)
                #expect(try await scene.renew(first, [0]).map(\.id) == [first])
                try await scene.subject.members.removeMember(first)
            },
            StoreCheck("one that gives no sign of life is missed, and comes back with its next") { scene in
                let (first, second) = ("first-\(UniqueID.random)", "second-\(UniqueID.random)")
                _ = try await scene.renew(first, [])
                try await scene.renewUntilAlone(second)
                #expect(try await scene.renew(first, []).contains { $0.id == first })
                try await scene.subject.members.removeMember(first)
                try await scene.subject.members.removeMember(second)
            },
        ]
    }
}

extension StoreScene {
    fileprivate func renew(
        _ id: String,
        _ subscribed: Set<Int>,
        timeout: Duration = .seconds(10)
    ) async throws -> [Member] {
        try await subject.members.renewMember(id, version: "1.0", subscribed: subscribed, timeout: timeout)
    }

    fileprivate func renewUntilAlone(_ id: String) async throws {
        for _ in 0..<400 {
            if try await renew(id, [], timeout: .milliseconds(50)).count == 1 { return }
            try await subject.pass(.milliseconds(25))
        }
        Issue.record("the other one is not missed")
    }
}
