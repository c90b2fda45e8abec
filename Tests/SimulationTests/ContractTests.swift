import BankContract
import BrokerContract
import Core
import Simulation
import Synchronization
import Testing

// The seeds of this target keep all threads busy meanwhile.
@Suite("The simulated broker keeps the broker contract", .timeLimit(.minutes(40)))
struct SimulatedBrokerContractTests {
    @Test("every check", arguments: BrokerCheck.all)
    func check(_ check: BrokerCheck) async throws {
        try await check.run(on: Subject())
    }

    struct Subject: BrokerUnderTest {
        let names = BrokerNames(prefix: "contract")
        let time = VirtualTime()
        let broker: SimulatedBroker
        let dropsCycles: Bool? = true

        init() {
            broker = SimulatedBroker(
                time: time,
                topology: Topology(names: names, partitions: 2),
                names: names,
                trace: Trace(time: time, isRecording: false)
            )
        }

        func publish(_ message: Message, exchange: String, routingKey: String) async throws -> PublishOutcome {
            try #require(broker.publish(message, exchange: exchange, routingKey: routingKey))
        }

        func read(_ queue: String, prefetch: Int) async throws -> any BrokerReader {
            Reader(try #require(broker.connect()), queue, prefetch, broker)
        }

        func declareReplyQueue(_ name: String, isFull: Bool) async throws {
            broker.declare(name)
            broker.setFull(name, isFull)
        }

        func readyCount(_ queue: String) async throws -> Int { broker.contents(queue).count }

        func pass(_ duration: Duration) async throws {
            // Whoever reads gets to read.
            for _ in 0..<20 { await Task.yield() }
            time.advance(by: duration)
            for _ in 0..<20 { await Task.yield() }
        }
    }

    private final class Reader: BrokerReader {
        private let connection: SimulatedConnection
        private let messages = Mutex<[ReceivedMessage]>([])

        init(_ connection: SimulatedConnection, _ queue: String, _ prefetch: Int, _ broker: SimulatedBroker) {
            self.connection = connection
            let stream = connection.consume(queue, prefetch: prefetch)
            Task {
                for await delivery in stream {
                    let message = ReceivedMessage(message: delivery.message) {
                        await delivery.acknowledge()
                    } republish: { exchange, routingKey in
                        try #require(
                            broker.publish(delivery.message, exchange: exchange, routingKey: routingKey)
                        )
                    }
                    self.messages.withLock { $0.append(message) }
                }
            }
        }

        var received: [ReceivedMessage] { messages.withLock { $0 } }

        func cancel() async throws { connection.cancelConsumers() }

        func close() async throws { connection.close() }
    }
}

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
