import Testing

@testable import BankSimulator

@Suite("Idempotency keys", .timeLimit(.minutes(1)))
struct IdempotencyKeysTests {
    private var keys = IdempotencyKeys()
    private let now = ManualClock.start
    private let first = BankAnswer.refused(.internalError)
    private let second = BankAnswer.refused(.notFound)

    @Test("a key is seen as soon as it is stored, for its own operation only")
    mutating func visibility() {
        #expect(keys.replay(.capture, key: "k", at: now) == nil)
        keys.store(first, for: .capture, key: "k", at: now)
        #expect(keys.replay(.capture, key: "k", at: now) == first)
        #expect(keys.replay(.void, key: "k", at: now) == nil)
        #expect(keys.replay(.capture, key: "K", at: now) == nil)
    }

    @Test("the first answer stays")
    mutating func firstStays() {
        keys.store(first, for: .capture, key: "k", at: now)
        keys.store(second, for: .capture, key: "k", at: now.adding(seconds: 1))
        #expect(keys.replay(.capture, key: "k", at: now.adding(seconds: 1)) == first)
    }

    @Test("a key is forgotten after 24 hours on the simulator's clock, and can be stored anew")
    mutating func forgotten() {
        keys.store(first, for: .capture, key: "k", at: now)
        let lastSecond = now.adding(seconds: 86_399)
        #expect(keys.replay(.capture, key: "k", at: lastSecond) == first)
        let dayLater = now.adding(seconds: 86_400)
        #expect(keys.replay(.capture, key: "k", at: dayLater) == nil)
        keys.store(second, for: .capture, key: "k", at: dayLater)
        #expect(keys.replay(.capture, key: "k", at: dayLater) == second)
    }

    @Test("a key of 255 characters is stored, a longer one is not", arguments: [(255, true), (256, false)])
    mutating func length(length: Int, isStored: Bool) {
        let key = String(repeating: "é", count: length)
        keys.store(first, for: .capture, key: key, at: now)
        #expect((keys.replay(.capture, key: key, at: now) != nil) == isStored)
    }
}
