import Testing

@testable import BankSimulator

@Suite("Drawing faults", .timeLimit(.minutes(1)))
struct FaultTableTests {
    private var table = FaultTable()
    private var generator = SplitMix64(seed: 5)

    private mutating func draw(
        _ operation: BankOperation?,
        storesKey: Bool = true,
        followsAuthorization: Bool = false
    ) -> FaultPlan {
        let subject = FaultSubject(
            operation: operation,
            storesKey: storesKey,
            followsAuthorization: followsAuthorization
        )
        return table.draw(for: subject, using: &generator)
    }

    @Test("a fault hits its own operation, as often as it was asked for")
    mutating func countAndOperation() {
        _ = table.add(Fault(kind: .dropBefore, operation: .capture, count: 2))
        #expect(draw(.void).ending == nil)
        #expect(draw(.capture).ending?.kind == .dropBefore)
        #expect(draw(nil).ending == nil)
        let fault = Fault(kind: .dropBefore, operation: .capture, count: 2)
        #expect(draw(.capture) == FaultPlan(ending: fault, name: "drop-before"))
        #expect(draw(.capture) == FaultPlan())
        #expect(table.entries.isEmpty)
    }

    @Test("only down reaches what is no operation, and only when it is aimed at any")
    mutating func health() {
        for kind in FaultKind.allCases where kind != .down { _ = table.add(Fault(kind: kind, milliseconds: 1)) }
        _ = table.add(Fault(kind: .down, operation: .get))
        #expect(draw(nil, storesKey: false) == FaultPlan())
        _ = table.add(Fault(kind: .down))
        #expect(draw(nil, storesKey: false).ending?.kind == .down)
    }

    @Test("modifiers add up and go with the first of the others; what does not hit is not counted")
    mutating func combination() {
        _ = table.add(Fault(kind: .latency, count: 1, milliseconds: 10))
        _ = table.add(Fault(kind: .dropAfter, count: 1))
        _ = table.add(Fault(kind: .garbage, count: 1))
        _ = table.add(Fault(kind: .loseKey, count: 1))
        _ = table.add(Fault(kind: .latency, count: 1, milliseconds: 5))
        let plan = draw(.capture)
        #expect(plan.ending?.kind == .dropAfter && plan.latency == 15 && plan.losesKey)
        #expect(plan.name == "latency,drop-after,lose-key,latency")
        #expect(table.entries.map(\.fault.kind) == [.garbage])
        #expect(draw(.capture).ending?.kind == .garbage)
    }

    @Test("lose-key waits for a request that would store a key")
    mutating func loseKey() {
        _ = table.add(Fault(kind: .loseKey, count: 1))
        #expect(!draw(.get, storesKey: false).losesKey)
        #expect(!draw(.capture, storesKey: false).losesKey)
        #expect(draw(.capture).losesKey)
        #expect(!draw(.capture).losesKey)
    }

    @Test("same-id waits for an authorize that executes and comes after another one")
    mutating func sameID() {
        _ = table.add(Fault(kind: .sameID, count: 1))
        #expect(draw(.authorize).ending == nil)
        #expect(draw(.authorize, storesKey: false, followsAuthorization: true).ending == nil)
        #expect(draw(.capture, followsAuthorization: true).ending == nil)
        #expect(draw(.authorize, followsAuthorization: true).ending?.kind == .sameID)
        #expect(draw(.authorize, followsAuthorization: true).ending == nil)
    }

    @Test("a probability hits about as often as it says")
    mutating func probability() {
        _ = table.add(Fault(kind: .error500, probability: 0.25))
        var hits = 0
        for _ in 0..<4_000 where draw(.capture).ending != nil { hits += 1 }
        #expect((900...1_100).contains(hits))
    }
}
