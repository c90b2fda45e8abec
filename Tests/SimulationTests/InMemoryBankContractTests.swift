import BankContract
import Core
import Simulation
import Testing

// The seeds of this target keep all threads busy meanwhile.
@Suite("The bank in memory keeps the bank contract", .timeLimit(.minutes(40)))
struct InMemoryBankContractTests {
    @Test("every check", arguments: BankCheck.all)
    func check(_ check: BankCheck) throws {
        let subject = Subject()
        try StepExecutor().run(in: subject.time) { try await check.run(on: subject) }
    }

    struct Subject: BankUnderTest {
        let time = VirtualTime()
        let memory: InMemoryBank

        init() {
            memory = InMemoryBank(time: time, random: SeededRandom(seed: 1))
        }

        var bank: any Bank { memory }

        func cause(_ trouble: BankTrouble, on operation: OperationKind) async throws {
            switch trouble {
            case .dropBefore: memory.inject(.dropBefore, into: operation)
            case .dropAfter: memory.inject(.dropAfter, into: operation)
            case .garbage: memory.inject(.garbage, into: operation)
            case .error500: memory.inject(.error500, into: operation)
            case .loseKey: memory.inject(.loseKey, into: operation)
            case .latency: memory.delayNext(by: .milliseconds(200))
            }
        }

        func effects(_ key: String) async throws -> Int { memory.ledger.count { $0.idempotencyKey == key } }

        func pass(_ duration: Duration) async throws { try await time.sleep(for: duration) }
    }
}
