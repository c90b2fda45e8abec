import AMQP
import BrokerMapping
import Core

/// A delivery of the broker, in the words of Core.
struct BrokerDelivery: Delivery {
    private let delivery: AMQPDelivery
    let message: Message

    init(_ delivery: AMQPDelivery) {
        self.delivery = delivery
        message = Message(delivery.message)
    }

    func acknowledge() async {
        // Fails only when its connection is gone: then the broker delivers the command again, and its stored outcome answers it.
        try? delivery.acknowledge()
    }

    func reject() async {
        // As above.
        try? delivery.reject(requeue: false)
    }
}
