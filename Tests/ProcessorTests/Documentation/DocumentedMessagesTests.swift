import TestSupport
import Testing

@testable import Core

/// docs/asyncapi.yaml against the code.
@Suite("The messages for machines", .timeLimit(.minutes(1)))
struct DocumentedMessagesTests {
    private let page = YAMLPage("docs/asyncapi.yaml")
    private let topology = Topology(names: BrokerNames(), partitions: 8)

    private func schema(_ name: String) -> JSONValue { page["components/schemas/\(name)"] }

    private var messages: [String: JSONValue] { page["components/messages"].members }

    @Test("the exchanges, queues and bindings, with all arguments")
    func declarations() {
        let exchanges = topology.exchanges.map { exchange in
            (exchange.name, ["type": .string(exchange.type), "arguments": Self.json(exchange.arguments)])
        }
        #expect(
            page["x-topology/exchanges"].members
                == Dictionary(uniqueKeysWithValues: exchanges).mapValues(JSONValue.object)
        )
        let queues = topology.queues.map { ($0.name, Self.json($0.arguments)) }
        #expect(page["x-topology/queues"].members == Dictionary(uniqueKeysWithValues: queues))
        let bindings = topology.bindings.map { binding in
            [binding.exchange, binding.queue, binding.key]
        }
        let documented = page["x-topology/bindings"].elements.map { binding in
            ["exchange", "queue", "key"].map { binding[$0]?.string ?? "" }
        }
        #expect(documented == bindings)
    }

    @Test("each queue and exchange has a channel, and each channel is one of them")
    func channels() {
        var queues: Set<String> = []
        // Its type is none that the binding of AsyncAPI has.
        var exchanges: [String: String] = [page["channels/commands/address"].string ?? "": "x-consistent-hash"]
        for (name, channel) in page["channels"].members {
            let binding = channel["bindings"]?["amqp"] ?? .null
            if let exchange = binding["exchange"], let exchangeName = exchange["name"]?.string {
                exchanges[exchangeName] = exchange["type"]?.string
            } else if let queue = binding["queue"]?["name"]?.string {
                #expect(queue == channel["address"]?.string)
                queues.formUnion(names(queue, channel))
            } else {
                #expect(name == "commands" || channel["address"] == .null, "\(name)")
            }
        }
        #expect(queues == Set(topology.queues.map(\.name)))
        #expect(exchanges == Dictionary(uniqueKeysWithValues: topology.exchanges.map { ($0.name, $0.type) }))
    }

    /// All names of an address with parameters.
    private func names(_ address: String, _ channel: JSONValue) -> [String] {
        (channel["parameters"] ?? .null).members.reduce([address]) { names, parameter in
            names.flatMap { name in
                self.values(parameter.value).map { name.replacing("{\(parameter.key)}", with: $0) }
            }
        }
    }

    private func values(_ parameter: JSONValue) -> [String] {
        let reference = parameter["$ref"]?.string.map { String($0.dropFirst(2)) }
        return (reference.map { page[$0] } ?? parameter)["enum"]?.strings ?? []
    }

    @Test("the types of all messages")
    func types() {
        var types: [String] = []
        for (name, message) in messages {
            guard let type = message["bindings"]?["amqp"]?["messageType"]?.string else { continue }
            types.append(type)
            let properties = message["x-amqp-properties"] ?? .null
            let parts = properties["allOf"]?.elements ?? [properties]
            let constant = parts.compactMap { $0["properties"]?["type"]?["const"]?.string }
            #expect(constant == [type], "\(name)")
        }
        let kinds = OperationKind.allCases.flatMap { [$0.commandType, $0.resultType] }
        let events = PaymentEvent.Name.allCases.map(\.type)
        #expect(types.sorted() == (kinds + events + [SweepTick.type, Heartbeat.type]).sorted())
    }

    @Test("the headers: every one that the code has a name for, and no other")
    func headers() {
        let file = "\(DocumentationPage.root)/Sources/Core/Wire/Messages/HeaderName.swift"
        let names = ScratchDirectory.read(file).matches(of: /static let \w+ = "([^"]+)"/).map { String($0.output.1) }
        #expect(Set(names).isSuperset(of: HeaderName.ids.union(HeaderName.bookkeeping)))
        let schemas = page["components/schemas"].members.filter { $0.key.hasSuffix("Headers") }
        let documented = Set(schemas.flatMap { ($0.value["properties"] ?? .null).members.keys })
        #expect(documented == Set(names))
        let command = Set((schema("CommandHeaders")["properties"] ?? .null).members.keys)
        #expect(command == HeaderName.ids)
        let notes = ["CopyHeaders", "DeadLetterHeaders"].flatMap { (schema($0)["properties"] ?? .null).members.keys }
        #expect(Set(notes) == HeaderName.bookkeeping)
    }

    @Test("the codes, and which of them may be tried again")
    func codes() {
        let ours = RejectionCode.allCases.map(\.rawValue) + [ReplyError.resolvedAsFailed.code]
        #expect(schema("ProcessorErrorCode")["enum"]?.strings == ours)
        let retryable = RejectionCode.allCases.filter(\.isRetryable).map(\.rawValue)
        #expect(schema("ProcessorErrorCode")["x-retryable"]?.strings == retryable)
        let codes = BankCode.allCases.map(\.rawValue)
        #expect(schema("BankErrorCode")["x-extensible-enum"]?.strings == codes)
        let again = codes.filter { ReplyError(BankRefusal(code: $0, message: "")).isRetryable }
        #expect(schema("BankErrorCode")["x-retryable"]?.strings == again)
        #expect(schema("DeadLetterCode")["enum"]?.strings == DeadLetterCode.allCases.map(\.rawValue))
    }

    @Test("the words of replies, events and ticks")
    func words() {
        let names = PaymentEvent.Name.allCases
        #expect(schema("Operation")["enum"]?.strings == OperationKind.allCases.map(\.rawValue))
        #expect(schema("Outcome")["enum"]?.strings == Reply.Outcome.allCases.map(\.rawValue))
        #expect(schema("PaymentStatus")["enum"]?.strings == PaymentStatus.allCases.map(\.rawValue))
        #expect(schema("Event")["properties"]?["event"]?["enum"]?.strings == names.map(\.rawValue))
        #expect(schema("Tick")["properties"]?["job"]?["enum"]?.strings == SweepJob.allCases.map(\.rawValue))
        #expect(page["components/parameters/tier/enum"].strings == RetryTier.allCases.map(\.rawValue))
        let keys = page["channels/events/parameters/event/enum"].strings.map { "payment.\($0)" }
        #expect(page["channels/events/address"].string == "payment.{event}")
        #expect(keys == names.map(\.routingKey))
    }

    @Test("the largest body, and which commands need none")
    func bodies() {
        for kind in OperationKind.allCases {
            let rule = messages[kind.rawValue]?["x-body"]
            #expect(rule?["largest"]?.integer == Int64(BodyDecoder.maximumSize), "\(kind)")
            let needsNone = (try? BodyDecoder.parameters(kind, [], for: Samples.paymentID)) != nil
            #expect(rule?["empty"] == .bool(needsNone), "\(kind)")
        }
    }

    private static func json(_ arguments: [String: HeaderValue]) -> JSONValue {
        .object(
            arguments.mapValues { value in
                switch value {
                case .string(let text): .string(text)
                case .integer(let number): .integer(number)
                case .bool(let flag): .bool(flag)
                case .other: .null
                }
            }
        )
    }
}
