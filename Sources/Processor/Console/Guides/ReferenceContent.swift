import Core

/// Exchanges, queues, messages and codes, from the code itself. `ContractPages` has the whole contract.
struct ReferenceContent: Sendable {
    let objects: [Line]
    let messages: [Line]
    let codes: [Line]
    let failures: [Line]

    struct Line: Sendable {
        let name: String
        let kind: String
        var bound = ""
    }

    init(_ parts: ConsoleParts) {
        let topology = Topology(names: parts.names, partitions: parts.partitions)
        objects =
            topology.exchanges.map { Line(name: $0.name, kind: "exchange, \($0.type)") }
            + topology.queues.map { queue in
                let bindings = topology.bindings.filter { $0.queue == queue.name }
                let bound = bindings.map { $0.key.isEmpty ? $0.exchange : "\($0.exchange), key \($0.key)" }
                return Line(name: queue.name, kind: "queue, quorum", bound: bound.joined(separator: "; "))
            }
        messages =
            OperationKind.allCases.map { Line(name: "payment.\($0.rawValue).v1", kind: "command") }
            + OperationKind.allCases.map { Line(name: "payment.\($0.rawValue).result.v1", kind: "reply") }
            + PaymentEvent.Name.allCases.map { event in
                Line(name: event.type, kind: "event, routing key \(event.routingKey) of \(parts.names.eventsExchange)")
            }
        codes =
            RejectionCode.allCases.map { code in
                Line(
                    name: code.rawValue,
                    kind: "the processor: \(code.explanation)",
                    bound: code.isRetryable ? "may be sent again" : ""
                )
            } + [
                Line(name: "…", kind: "the bank's own codes, unchanged", bound: "insufficient_funds may be sent again")
            ]
        failures = DeadLetterCode.allCases.map { Line(name: $0.rawValue, kind: $0.meaning) }
    }
}
