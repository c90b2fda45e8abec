import Testing

@testable import BankSimulator

@Suite("Idempotency keys", .timeLimit(.minutes(1)))
struct IdempotencyKeysTests {
    private var keys = IdempotencyKeys()
    private let now = ManualClock.start
    private let first = BankAnswer.refused(.internalError)
    private let second = BankAnswer.refused(.notFound)

    @Test("a key is seen from its moment on, for its own operation only")
    mutating func visibility() {
        let visible = Timestamp(nanoseconds: now.nanoseconds + 3)
        keys.store(first, for: .capture, key: "k", at: now, visibleFrom: visible)
        #expect(keys.replay(.capture, key: "k", at: now, wallClock: now) == nil)
        #expect(keys.replay(.capture, key: "k", at: now, wallClock: visible) == first)
        #expect(keys.replay(.void, key: "k", at: now, wallClock: visible) == nil)
        #expect(keys.replay(.capture, key: "K", at: now, wallClock: visible) == nil)
    }

    @Test("the first answer stays, even while it cannot be seen yet")
    mutating func firstStays() {
        let visible = now.adding(seconds: 1)
        keys.store(first, for: .capture, key: "k", at: now, visibleFrom: visible)
        keys.store(second, for: .capture, key: "k", at: now, visibleFrom: now)
        #expect(keys.replay(.capture, key: "k", at: now, wallClock: visible) == first)
    }

    @Test("a key is forgotten after 24 hours on the simulator's clock, and can be stored anew")
    mutating func forgotten() {
        keys.store(first, for: .capture, key: "k", at: now, visibleFrom: now)
        let lastSecond = now.adding(seconds: 86_399)
        #expect(keys.replay(.capture, key: "k", at: lastSecond, wallClock: now) == first)
        let dayLater = now.adding(seconds: 86_400)
        #expect(keys.replay(.capture, key: "k", at: dayLater, wallClock: now) == nil)
        keys.store(second, for: .capture, key: "k", at: dayLater, visibleFrom: now)
        #expect(keys.replay(.capture, key: "k", at: dayLater, wallClock: now) == second)
    }

    @Test("a key of 255 characters is stored, a longer one is not", arguments: [(255, true), (256, false)])
    mutating func length(length: Int, isStored: Bool) {
        let key = String(repeating: "é", count: length)
        keys.store(first, for: .capture, key: key, at: now, visibleFrom: now)
        #expect((keys.replay(.capture, key: key, at: now, wallClock: now) != nil) == isStored)
    }
}
