import Core

/// A delivery in the hands of a process that may die before it acknowledges.
struct FaultInjectingDelivery: Delivery {
    let injector: FaultInjector
    let delivery: any Delivery

    var message: Message { delivery.message }

    func acknowledge() async {
        await injector.pass()
        guard !injector.life.isOver else { return }
        await delivery.acknowledge()
    }

    func reject() async {
        await injector.pass()
        guard !injector.life.isOver else { return }
        await delivery.reject()
    }
}
