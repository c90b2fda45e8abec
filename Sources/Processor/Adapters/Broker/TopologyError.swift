import AMQP

/// What is wrong with the broker's objects, in one line with the way out.
enum TopologyError: Error, CustomStringConvertible {
    /// It is there, with another type or other arguments. The words are the broker's; they name the argument.
    case mismatch(object: String, words: String)
    case missing(object: String)
    /// The consistent-hash exchange type is not known.
    case pluginMissing
    case forbidden(object: String, words: String)
    /// The broker could not be asked.
    case broker(AMQPError)

    init(_ object: String, _ error: AMQPError) {
        let words = error.brokerText ?? error.description
        switch error.code {
        case .channelClosed(406): self = .mismatch(object: object, words: words)
        case .channelClosed(404): self = .missing(object: object)
        case .channelClosed(403): self = .forbidden(object: object, words: words)
        case .connectionClosedByBroker(503), .channelClosed(503): self = .pluginMissing
        default: self = .broker(error)
        }
    }

    /// Only a broker that comes back can help itself; the rest needs an operator.
    var isRetriable: Bool {
        switch self {
        case .broker(let error): error.isRetriable
        case .mismatch, .missing, .pluginMissing, .forbidden: false
        }
    }

    var description: String {
        switch self {
        case .mismatch(let object, let words):
            "\(object) exists with other properties; delete it when it is empty, or choose another amqp.prefix (\(words))"
        case .missing(let object):
            "missing at the broker: \(object); run `processor topology`, or set amqp.declare to true"
        case .pluginMissing:
            "the broker lacks the plugin rabbitmq_consistent_hash_exchange; enable it with rabbitmq-plugins enable"
        case .forbidden(let object, let words):
            "the broker's user may not use \(object); grant it configure, write and read permissions (\(words))"
        case .broker(let error):
            error.description
        }
    }
}
