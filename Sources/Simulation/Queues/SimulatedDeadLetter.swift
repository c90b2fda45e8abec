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
