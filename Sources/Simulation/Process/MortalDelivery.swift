import Core

/// A delivery in the hands of a process that may die before it acknowledges.
struct MortalDelivery: Delivery {
    let edge: Mortality
    let delivery: any Delivery

    var message: Message { delivery.message }

    func acknowledge() async {
        await edge.pass()
        guard !edge.life.isOver else { return }
        await delivery.acknowledge()
    }

    func reject() async {
        await edge.pass()
        guard !edge.life.isOver else { return }
        await delivery.reject()
    }
}
