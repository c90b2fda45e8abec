import Core

/// A delivery from the dead letters, with what its headers say about how it came there.
struct SimulatedDeadLetter: DeadLetterDelivery {
    private let delivery: any Delivery
    let origin: DeadLetterOrigin

    init(_ delivery: any Delivery, isUnrouted: Bool) {
        self.delivery = delivery
        if isUnrouted {
            origin = .unrouted
        } else if let death = DeathRecord(delivery.message).last {
            origin = .broker(
                reason: death.reason,
                occurrence: "\(death.queue) \(death.count) \(death.at)",
                at: Timestamp(microseconds: death.at * 1_000_000)
            )
        } else {
            origin = .processor
        }
    }

    var message: Message { delivery.message }

    func acknowledge() async {
        await delivery.acknowledge()
    }

    func reject() async {
        await delivery.reject()
    }
}

/// The header `x-death`, as far as it decides anything: which queues dead-lettered the message, why, how often and when, the last
/// one first. RabbitMQ writes a list of tables; here it is one line of text, which a client that copies headers copies as it is.
struct DeathRecord {
    static let header = "x-death"

    enum Reason: String {
        case expired
        case deliveryLimit = "delivery_limit"
        case rejected
    }

    struct Death {
        let queue: String
        let reason: String
        var count = 1
        /// Of the first time, in seconds since the epoch.
        let at: Int64
    }

    private var deaths: [Death]

    init(_ message: Message) {
        deaths = (message.headers[Self.header]?.string ?? "").split(separator: ",").compactMap { entry in
            let parts = entry.split(separator: "=")
            guard parts.count == 4, let count = Int(parts[2]), let at = Int64(parts[3]) else { return nil }
            return Death(queue: String(parts[0]), reason: String(parts[1]), count: count, at: at)
        }
    }

    var last: Death? { deaths.first }

    mutating func add(_ queue: String, _ reason: Reason, at now: Timestamp) {
        var death = Death(queue: queue, reason: reason.rawValue, at: now.microseconds / 1_000_000)
        if let position = deaths.firstIndex(where: { $0.queue == queue && $0.reason == reason.rawValue }) {
            death = deaths.remove(at: position)
            death.count += 1
        }
        deaths.insert(death, at: 0)
    }

    var value: HeaderValue {
        .string(deaths.map { "\($0.queue)=\($0.reason)=\($0.count)=\($0.at)" }.joined(separator: ","))
    }

    /// Whether a message that goes to that queue by itself would go round in circles: it has died there before, and no client has
    /// rejected it since. RabbitMQ drops it then (`is_cycle` of `rabbit_dead_letter`, 3.10;
    /// docs/correctness.md#copied-headers).
    func isCycle(_ queue: String) -> Bool {
        guard let position = deaths.firstIndex(where: { $0.queue == queue }) else { return false }
        return deaths[...position].allSatisfy { $0.reason != Reason.rejected.rawValue }
    }
}
