import Simulation
import Testing

@testable import Core

@Suite("How often and how soon", .timeLimit(.minutes(1)))
struct RetryPolicyTests {
    @Test("the pause before the bank is asked again is never below 100 ms, and grows")
    func bankBackoff() {
        let policy = RetryPolicy()
        var generator = SplitMix64(seed: 1)
        for attempt in 0..<200 {
            for word in [0, UInt64.max, generator.next(), generator.next()] {
                let pause = policy.bankBackoff(attempt: attempt, random: word)
                #expect(pause >= .milliseconds(100))
                #expect(pause <= .seconds(60))
            }
        }
        #expect(policy.bankBackoff(attempt: 0, random: .max) <= .milliseconds(300))
        #expect(policy.bankBackoff(attempt: 0, random: 0) == .milliseconds(100))
    }

    @Test("other pauses are spread, and bounded")
    func backoff() {
        let policy = RetryPolicy()
        var generator = SplitMix64(seed: 2)
        for attempt in [0, 1, 5, 16, 17, 63, 64, 1_000, .max] {
            let pauses = (0..<50).map { _ in policy.backoff(attempt: attempt, random: generator.next()) }
            #expect(pauses.allSatisfy { $0 > .zero && $0 <= policy.pause + policy.pauseLimit })
            #expect(Set(pauses).count > 10)
        }
        var zero = policy
        zero.pause = .zero
        zero.pauseLimit = .zero
        #expect(zero.backoff(attempt: 3, random: 7) == .zero)
    }

    @Test("the retry tiers are those of the contract")
    func tiers() {
        let expected: [(RetryTier, String, Duration)] = [
            (.seconds5, "5s", .seconds(5)), (.seconds30, "30s", .seconds(30)), (.minutes2, "2m", .seconds(120)),
            (.minutes10, "10m", .seconds(600)), (.hour1, "1h", .seconds(3_600)),
        ]
        #expect(RetryTier.allCases == expected.map(\.0))
        for (tier, name, delay) in expected {
            #expect(tier.rawValue == name)
            #expect(tier.delay == delay)
        }
    }

    @Test(
        "a delivery climbs the retry tiers with its attempts, and never comes back before its key has rested",
        arguments: [
            (0, 0, .seconds5), (1, 0, .seconds5), (2, 0, .seconds30), (3, 0, .minutes2), (4, 0, .minutes10),
            (5, 0, .hour1),
            (6, 0, .hour1), (.max, 0, .hour1), (.min, 0, .seconds5), (1, 5, .seconds5), (1, 6, .seconds30),
            (1, 17, .seconds30), (3, 17, .minutes2), (1, 31, .minutes2), (1, 86_400, .hour1),
        ] as [(Int, Int, RetryTier)]
    )
    func tier(attempts: Int, rest: Int, expected: RetryTier) {
        #expect(RetryPolicy().tier(attempts: attempts, rest: .seconds(rest)) == expected)
    }

    @Test("who waits for another command stays on the first retry tiers")
    func waitingTier() {
        let policy = RetryPolicy()
        #expect(policy.waitingTier(waited: .zero) == .seconds5)
        #expect(policy.waitingTier(waited: .seconds(29)) == .seconds5)
        #expect(policy.waitingTier(waited: .seconds(30)) == .seconds30)
        #expect(policy.waitingTier(waited: .seconds(86_400)) == .seconds30)
    }

    @Test(
        "a request's timeout is such that its worst case ends within the lease",
        arguments: [
            (0, 15_000), (4_999, 15_000), (5_000, 15_000), (5_001, 14_999), (12_000, 8_000), (12_500, 7_500),
            (12_501, nil), (20_000, nil), (1_000_000, nil),
        ] as [(Int, Int?)]
    )
    func timeout(elapsed: Int, expected: Int?) {
        let limits = HandlerLimits(
            bankTimeout: .seconds(15),
            bankWorstCase: .seconds(17),
            lease: .seconds(37),
            busyAfter: .seconds(120)
        )
        let timeout = limits.timeout(elapsed: .milliseconds(elapsed))
        #expect(timeout == expected.map { .milliseconds($0) })
        if let timeout {
            #expect(.milliseconds(elapsed) + timeout + limits.bankWorstCase <= limits.lease)
        }
    }
}
