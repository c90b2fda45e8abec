import Core

/// A delivery in the hands of a process that may die before it acknowledges.
struct FaultInjectingDelivery: Delivery {
    let injector: FaultInjector
    let delivery: any Delivery
    private let process: Int
    private let sharing: SharingWitness
    private let readAt: Duration

    init(_ injector: FaultInjector, _ delivery: any Delivery, of process: Int, _ sharing: SharingWitness) {
        self.injector = injector
        self.delivery = delivery
        self.process = process
        self.sharing = sharing
        readAt = sharing.now
    }

    var message: Message { delivery.message }

    func acknowledge() async {
        await injector.pass()
        guard !injector.life.isOver else { return }
        await delivery.acknowledge()
        if let queue = (delivery as? SimulatedDelivery)?.queue {
            sharing.noteAcknowledgement(queue, by: process, readAt: readAt)
        }
    }

    func reject() async {
        await injector.pass()
        guard !injector.life.isOver else { return }
        await delivery.reject()
    }
}
