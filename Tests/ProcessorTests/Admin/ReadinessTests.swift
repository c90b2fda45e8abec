import Core
import Synchronization
import Testing

@testable import Processor

@Suite("Readiness", .timeLimit(.minutes(1)))
struct ReadinessTests {
    private final class Time: Sendable {
        private let start = ContinuousClock.now
        private let passed = Mutex(Duration.zero)

        func pass(_ duration: Duration) { passed.withLock { $0 += duration } }

        var now: ContinuousClock.Instant { start + passed.withLock { $0 } }
    }

    private let time = Time()

    private func connected(_ parts: [Readiness.Part]) -> Readiness {
        let readiness = Readiness { [time] in time.now }
        readiness.setBroker(.ok)
        readiness.setDatabase(.ok)
        for part in parts { readiness.saw(part) }
        return readiness
    }

    @Test("is lost with anything that has not been seen working lately", arguments: Readiness.Part.allCases)
    func silence(part: Readiness.Part) {
        let readiness = connected(Readiness.Part.allCases)
        time.pass(.seconds(2))
        #expect(readiness.current.isReady && readiness.current.problems.isEmpty)
        for _ in 0..<2 {
            time.pass(.seconds(2))
            for other in Readiness.Part.allCases where other != part { readiness.saw(other) }
        }
        let state = readiness.current
        #expect(!state.isReady)
        #expect(state.database == (part.isOfDatabase ? .stalled : .ok))
        #expect(state.broker == (part.isOfDatabase ? .ok : .stalled))
        #expect(state.problems == ["\(part.rawValue) has not worked for 6 s"])
        readiness.failed(part, "no answer")
        #expect(readiness.current.problems == ["\(part.rawValue) has not worked for 6 s: no answer"])
        readiness.saw(part)
        #expect(readiness.current.isReady && readiness.current.problems.isEmpty)
    }

    @Test("does not depend on what nobody tries")
    func untried() {
        let readiness = connected([.statements, .publishing])
        time.pass(.seconds(60))
        readiness.saw(.statements)
        readiness.saw(.publishing)
        #expect(readiness.current.isReady)
        readiness.saw(.consuming)
        readiness.forget(.consuming)
        time.pass(.seconds(2))
        readiness.failed(.consuming, "x")
        #expect(readiness.current.isReady)
    }

    @Test("is lost while the broker takes no messages, and says why")
    func blocked() {
        let readiness = connected([])
        readiness.setBlocked("low on memory")
        #expect(
            String(decoding: readiness.current.json.encoded, as: UTF8.self) == """
                {"bank":"closed","broker":"stalled","database":"ok",\
                "problems":["the broker takes no messages: low on memory"],"ready":false}
                """
        )
        readiness.setBlocked(nil)
        #expect(readiness.current.isReady)
    }

    @Test("a connection that is lost is called lost, whatever else is wrong")
    func lost() {
        let readiness = connected(Readiness.Part.allCases)
        time.pass(.seconds(60))
        readiness.setBroker(.lost)
        #expect(readiness.current.broker == .lost && readiness.current.database == .stalled)
    }
}
