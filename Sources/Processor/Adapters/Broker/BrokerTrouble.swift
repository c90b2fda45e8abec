/// Something at the broker that the processor needs and cannot use.
struct BrokerTrouble: Hashable, Sendable, CustomStringConvertible {
    enum Object: Hashable, Sendable, CustomStringConvertible {
        case exchange(String)
        case queue(String)
        /// What an exchange does with a routing key.
        case route(exchange: String, key: String)
        case binding(queue: String, exchange: String)
        case policy(queue: String)

        var isQueue: Bool {
            if case .queue = self { true } else { false }
        }

        var description: String {
            switch self {
            case .exchange(""): "the default exchange"
            case .exchange(let name): "exchange \(name)"
            case .queue(let name): "queue \(name)"
            case .route("", let key): "queue \(key)"
            case .binding(let queue, let exchange): "binding of \(queue) to \(exchange)"
            case .policy(let queue): "the policy of queue \(queue)"
            case .route(let exchange, let key): "binding of exchange \(exchange) for '\(key)'"
            }
        }
    }

    enum Problem: Hashable, Sendable, CustomStringConvertible {
        case missing
        case forbidden
        /// What is published there is not confirmed: a queue behind it has no majority of its nodes, or stands still.
        case silent
        /// In the words of the broker.
        case other(String)

        var description: String {
            switch self {
            case .missing: "is missing"
            case .forbidden: "may not be used by the broker's user"
            case .silent: "confirms nothing"
            case .other(let words): words
            }
        }
    }

    let object: Object
    let problem: Problem

    var description: String { "\(object) \(problem)" }
}
