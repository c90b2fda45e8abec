import Core
import Synchronization
import TestSupport

/// Customers that pay one payment after the other, each by a script whose every result is known beforehand.
final class TortureCustomers: Sendable {
    /// The commands of one payment, in the order in which they were sent, each with what may come of it.
    struct Purchase: Sendable {
        var steps: [(command: TestCommand, results: Set<String>)] = []
        /// When each step was confirmed, since the beginning.
        var confirmed: [Duration] = []
    }

    private let purchases = Mutex<[Purchase]>([])
    private let settings: TortureSettings

    init(_ settings: TortureSettings) {
        self.settings = settings
    }

    /// Those whose commands have all been confirmed by the broker.
    var all: [Purchase] { purchases.withLock { $0 } }

    /// Until the time is over.
    func run(in world: World, until end: ContinuousClock.Instant) async throws {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for customer in 0..<settings.customers {
                group.addTask { [settings] in
                    var generator = TortureRandom(seed: settings.seed, stream: UInt64(customer) + 1)
                    while ContinuousClock.now < end {
                        var purchase = Self.purchase(&generator)
                        let waits = generator.chance(30)
                        for step in purchase.steps {
                            try await world.send(step.command)
                            purchase.confirmed.append(ContinuousClock.now - start)
                            // Some wait for an answer, for a while; most go on at once, and rely on the order.
                            if waits { try await Self.answer(to: step.command, in: world) }
                        }
                        self.purchases.withLock { [purchase] in $0.append(purchase) }
                        try await Task.sleep(for: .milliseconds(.random(in: 0...1_500, using: &generator)))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private static func answer(to command: TestCommand, in world: World) async throws {
        do {
            _ = try await world.upstream.finalReply(to: command, within: .seconds(20))
        } catch is NeverHappened {
            // It comes in the end, or is missed there.
        }
    }

    private static func purchase(_ generator: inout TortureRandom) -> Purchase {
        let payment = generator.id()
        func step(_ command: TestCommand, _ results: String...) -> (TestCommand, Set<String>) {
            var command = command
            command.key = generator.id()
            command.messageID = generator.id()
            return (command, Set(results))
        }
        func again(_ other: (TestCommand, Set<String>)) -> (TestCommand, Set<String>) {
            var copy = other
            copy.0.messageID = generator.id()
            return copy
        }
        let authorize = step(.authorize(amount: 100, paymentID: payment), "succeeded")
        let invalid = "rejected invalid_transition"
        var purchase = Purchase()
        switch Int.random(in: 0..<6, using: &generator) {
        case 0:
            purchase.steps = [
                authorize, step(.capture(payment), "succeeded"), step(.refund(payment), "succeeded"),
                step(.refund(payment), invalid),
            ]
        case 1: purchase.steps = [authorize, step(.void(payment), "succeeded"), step(.capture(payment), invalid)]
        case 2: purchase.steps = [authorize, again(authorize), step(.capture(payment), "succeeded"), again(authorize)]
        case 3:
            let capture = step(.capture(payment), "succeeded")
            purchase.steps = [authorize, capture, step(.void(payment), invalid), again(capture)]
        case 4:
            let declined = step(
                .authorize(amount: 100, card: .empty, paymentID: payment),
                "declined insufficient_funds"
            )
            purchase.steps = [declined, step(.capture(payment), invalid), again(declined)]
        default:
            purchase.steps = [
                authorize, step(.authorize(amount: 100, paymentID: payment), "rejected payment_exists"),
                step(.void(payment), "succeeded"),
            ]
        }
        return purchase
    }
}
