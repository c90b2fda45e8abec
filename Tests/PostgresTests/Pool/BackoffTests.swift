import Testing

@testable import Postgres

@Suite("The wait between attempts")
struct BackoffTests {
    @Test("doubles up to the cap, and lies between a half and the whole of that")
    func doubling() {
        for (random, share) in [(0.0, 0.5), (1.0, 1.0)] {
            var backoff = Backoff(first: .milliseconds(100), cap: .milliseconds(350))
            let steps = (0..<4).map { _ in backoff.step(random: random) }
            #expect(steps == [100, 200, 350, 350].map { .milliseconds($0) * share })
        }
    }
}
