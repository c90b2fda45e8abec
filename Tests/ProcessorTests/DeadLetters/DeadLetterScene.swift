import Core
import Simulation
import Synchronization
import Testing

@testable import Processor

extension DeadLetterService {
    /// Over an empty store and a broker in memory.
    static func inMemory() -> DeadLetterService { DeadLetterScene().service }
}

/// Confirms all that is published, and remembers it.
final class RecordingSink: MessageSink {
    private let taken = Mutex<[Message]>([])

    var messages: [Message] { taken.withLock { $0 } }

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        taken.withLock { $0.append(message) }
        return .confirmed
    }
}

/// A store with dead letters, and what takes their replays.
struct DeadLetterScene: Sendable {
    let time = VirtualTime()
    let store: InMemoryPaymentStore
    let sink = RecordingSink()
    private let reader = DeadLetterReader(fingerprinter: Fingerprinter(secret: Array("secret".utf8)))

    /// - Parameter store: `nil`: an empty one.
    init(store: InMemoryPaymentStore? = nil) {
        self.store =
            store ?? InMemoryPaymentStore(clock: time, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
    }

    var service: DeadLetterService {
        DeadLetterService(
            store: store,
            sink: sink,
            time: SystemTime(),
            random: SystemRandom(),
            fingerprinter: Fingerprinter(secret: [1])
        )
    }

    static func id(_ number: Int) -> DeadLetterID { DeadLetterID(UniqueID(high: 0, low: UInt64(number))) }

    /// Keeps a dead letter as the ingester does: a capture, or what `change` makes of it.
    @discardableResult
    func keep(_ number: Int, code: String = "needs_attention", _ change: (inout Message) -> Void = { _ in })
        async throws
        -> DeadLetterID
    {
        var message = Message(
            type: "payment.capture.v1",
            contentType: "application/json",
            messageID: "m-\(number)",
            headers: [
                HeaderName.paymentID: .string("00000000-0000-0000-0000-00000000000\(number)"),
                HeaderName.idempotencyKey: .string("key-\(number)"), HeaderName.errorCode: .string(code),
                HeaderName.errorMessage: .string("bank_timeout"),
                HeaderName.failedAt: .integer(Int64(number) * 1_000_000),
            ],
            body: Array(#"{"amount":5000}"#.utf8)
        )
        change(&message)
        let deadLetter = reader.deadLetter(message, .processor, id: Self.id(number), now: time.now())
        #expect(try await store.keep(deadLetter) == .stored)
        return deadLetter.id
    }
}
