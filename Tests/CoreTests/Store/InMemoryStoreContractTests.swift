import Core
import Simulation
import StoreContract
import Testing

@Suite("The in-memory store keeps the store contract", .timeLimit(.minutes(1)))
struct InMemoryStoreContractTests {
    struct Subject: StoreUnderTest {
        let time = VirtualTime()
        let store: InMemoryPaymentStore
        var sweeps: InMemoryPaymentStore { store }
        var members: InMemoryPaymentStore { store }

        init() {
            store = InMemoryPaymentStore(clock: time, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
        }

        var now: Timestamp { time.now() }

        func pass(_ duration: Duration) async throws {
            time.advance(by: duration)
        }
    }

    @Test("every check", arguments: StoreCheck<Subject>.all)
    func check(_ check: StoreCheck<Subject>) async throws {
        try await check.run(on: Subject())
    }
}
