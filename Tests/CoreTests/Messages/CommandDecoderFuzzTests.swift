import Core
import Simulation
import Testing

/// No input traps, and nothing that comes out shows card data.
@Suite("Command decoder, fuzzed", .timeLimit(.minutes(2)))
struct CommandDecoderFuzzTests {
    @Test("random bytes are never a command", arguments: [UInt64(1), 2])
    func randomBytes(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<3_000 {
            let message = CommandMessage.valid(OperationKind.allCases.randomElement(using: &generator) ?? .void) {
                $0.body = (0..<Int.random(in: 1...80, using: &generator)).map { _ in
                    .random(in: 0 ... .max, using: &generator)
                }
            }
            guard case .answerable(let command) = check(message, prints: false) else {
                Issue.record("not answerable: \(message.body)")
                return
            }
            guard command.problem.field == "body" else {
                Issue.record("\(command.problem)")
                return
            }
        }
    }

    @Test("mutated messages give one of the three results, and show no card data", arguments: [UInt64(3), 4, 5])
    func mutated(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var counts = [0, 0, 0]
        for round in 0..<5_000 {
            var message = CommandMessage.valid(OperationKind.allCases.randomElement(using: &generator) ?? .void)
            for _ in 0..<Int.random(in: 1...3, using: &generator) { Self.mutate(&message, using: &generator) }
            // Printing by reflection is slow, and has a suite of its own.
            switch check(message, prints: round % 32 == 0) {
            case .command: counts[0] += 1
            case .answerable: counts[1] += 1
            case .unanswerable: counts[2] += 1
            }
        }
        // The fuzzer reaches all of them, or it tests nothing.
        #expect(counts.allSatisfy { $0 > 300 })
    }

    private func check(_ message: Message, prints: Bool) -> DecodedMessage {
        let result = CommandDecoder().decode(message)
        var texts = prints ? ["\(result)"] : []
        switch result {
        case .command: break
        case .answerable(let command):
            let reply = OutgoingReply(to: command)
            texts.append(String(decoding: reply.message.body, as: UTF8.self))
            checkProblem(command.problem)
            if (try? JSONParser.parse(reply.message.body)) == nil { Issue.record("the reply is no JSON") }
        case .unanswerable(let problem): checkProblem(problem)
        }
        // Recorded by hand: a macro for each of so many checks would take most of the time.
        if texts.contains(where: { $0.contains("4111111") || $0.contains("\"\(CommandMessage.cvv)\"") }) {
            Issue.record("card data is shown")
        }
        return result
    }

    private func checkProblem(_ problem: InvalidField) {
        let text = problem.description
        guard Self.fields.contains(problem.field), text == "\(problem.field): \(problem.problem)",
            !text.contains("4111111"), !text.contains(CommandMessage.cvv)
        else {
            Issue.record("\(problem)")
            return
        }
    }

    private static let fields: Set<String> = [
        "type", "content_type", "content_encoding", "correlation_id", "message_id", "payment-id", "idempotency-key",
        "merchant-id", "deadline", "body", "order_id", "customer_id", "amount", "currency", "card", "card.number",
        "card.cvv", "card.expiry_month", "card.expiry_year",
    ]

    private static func mutate(_ message: inout Message, using generator: inout SplitMix64) {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0:
            message.type =
                [nil, "", "payment.authorize.v1", "payment.void.v1", "x"].randomElement(using: &generator) ?? nil
        case 1:
            message.contentType =
                [nil, "text/plain", ";", "application/json;;"].randomElement(using: &generator) ?? nil
        case 2: message.messageID = [nil, "", "a\0b"].randomElement(using: &generator) ?? nil
        case 3: message.correlationID = [nil, "", "\u{1}", "c"].randomElement(using: &generator) ?? nil
        case 4:
            let names = [HeaderName.paymentID, HeaderName.idempotencyKey, HeaderName.merchantID, HeaderName.deadline]
            let values: [HeaderValue?] = [
                nil, .other, .bool(true), .integer(-1), .string(""), .string("\u{0}"), .string("a"),
            ]
            message.headers[names.randomElement(using: &generator) ?? ""] =
                values.randomElement(using: &generator) ?? nil
        case 5 where !message.body.isEmpty:
            message.body[Int.random(in: message.body.indices, using: &generator)] = .random(
                in: 0 ... .max,
                using: &generator
            )
        case 6 where !message.body.isEmpty:
            message.body.remove(at: Int.random(in: message.body.indices, using: &generator))
        case 7:
            let tokens = ["{", "}", "[", "\"", "\\u", "\\ud83d", ",", ":", "null", "-", "1e9", "\u{0}", "é"]
            let token = Array((tokens.randomElement(using: &generator) ?? "").utf8)
            message.body.insert(contentsOf: token, at: Int.random(in: 0...message.body.count, using: &generator))
        case 8: message.body = Array(message.body.prefix(Int.random(in: 0...message.body.count, using: &generator)))
        default:
            let text = String(decoding: message.body, as: UTF8.self)
            let swaps = [
                ("5000", "-5"), ("5000", "5.5"), ("\"card\"", "\"Card\""), ("12", "13"), ("2030", "\"2030\""),
                ("USD", "XXX"), ("order-1", ""), ("cust-1", "\\u0007"), ("4111", "x111"), ("987", "98"),
            ]
            let (from, to) = swaps.randomElement(using: &generator) ?? ("", "")
            message.body = Array(text.replacing(from, with: to).utf8)
        }
    }
}
