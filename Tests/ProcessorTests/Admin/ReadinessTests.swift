import Core
import Program
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

    private static func failed(_ error: StoreError, _ commands: Int...) -> StoreReport {
        let commands = commands.map { number in
            StoredCommand(merchantID: .default, idempotencyKey: IdempotencyKey(verified: "key-\(number)"))
        }
        return .failed(.claims, Set(commands), error)
    }

    @Test("is not lost with one command that is refused again and again for what it is, nor with two")
    func fewCommands() {
        let readiness = connected([])
        let refusal = StoreError(.refused, detail: "claiming operations: server 23514", isAnswered: true)
        for _ in 0..<9 {
            readiness.database(Self.failed(refusal, 1))
            time.pass(.seconds(2))
            readiness.database(Self.failed(refusal, 2))
            time.pass(.seconds(2))
            #expect(readiness.current.isReady)
        }
        readiness.database(Self.failed(refusal, 3))
        #expect(!readiness.current.isReady)
    }

    @Test("is lost with one transaction of several commands that is refused again and again")
    func batch() {
        let readiness = connected([])
        let refusal = StoreError(.unavailable, detail: "claiming operations: server 57014", isAnswered: true)
        readiness.database(Self.failed(refusal, 1, 2, 3, 4))
        time.pass(.seconds(6))
        #expect(!readiness.current.isReady)
    }

    @Test("is lost with a database that answers and refuses all work, and is back with the first that is done")
    func refusals() {
        let readiness = connected([])
        let refusal = StoreError(.refused, detail: "claiming operations: server 42P01", isAnswered: true)
        var number = 0
        func refuse(_ count: Int, each pause: Duration = .seconds(2), _ error: StoreError) {
            for _ in 0..<count {
                number += 1
                readiness.database(Self.failed(error, number))
                time.pass(pause)
            }
        }
        refuse(2, each: .seconds(10), refusal)
        #expect(readiness.current.isReady)
        refuse(1, refusal)
        // Other work being done is no help.
        readiness.database(.done(.registrations))
        let state = readiness.current
        #expect(!state.isReady && state.database == .stalled)
        let words = "the database has refused for 22 s: claiming operations: server 42P01"
        #expect(state.problems == [words])
        readiness.database(.done(.claims))
        #expect(readiness.current.isReady)
        // What is refused at once may be the commands; what does not answer is reported by itself.
        refuse(9, each: .zero, refusal)
        #expect(readiness.current.isReady)
        readiness.database(.done(.claims))
        refuse(9, StoreError(.unavailable, detail: "connectionLost"))
        #expect(readiness.current.isReady)
    }

    @Test("forgets refusals that are not repeated, or were another server's")
    func oldRefusals() {
        let readiness = connected([])
        let refusal = StoreError(.unavailable, detail: "x", isAnswered: true)
        for number in 0..<5 {
            readiness.database(Self.failed(refusal, number))
            time.pass(.seconds(2))
        }
        #expect(!readiness.current.isReady)
        time.pass(.seconds(59))
        #expect(readiness.current.isReady)
        readiness.database(Self.failed(refusal, 6))
        #expect(readiness.current.isReady)
        for number in 0..<5 {
            readiness.database(Self.failed(refusal, number))
            time.pass(.seconds(2))
        }
        #expect(!readiness.current.isReady)
        readiness.setDatabase(.ok)
        #expect(readiness.current.isReady)
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
                "problems":["the broker takes no messages: low on memory"],"ready":false,\
                "version":"\(ProductVersion.current)"}
                """
        )
        readiness.setBlocked(nil)
        #expect(readiness.current.isReady)
    }

    @Test("is lost while no commands are taken because the database does not take what is written about them")
    func givenBack() {
        let readiness = connected([])
        readiness.setGivenBack(true)
        #expect(!readiness.current.isReady && readiness.current.problems.count == 1)
        readiness.setGivenBack(false)
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
