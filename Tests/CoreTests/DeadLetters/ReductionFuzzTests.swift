import Simulation
import Testing

@testable import Core

@Suite("The reduction of a message, at random", .timeLimit(.minutes(2)))
struct ReductionFuzzTests {
    private static let number = "5412750000000009"
    private static let cvv = "7391"

    @Test("whatever becomes of the body of an authorize, its card number and CVV are not kept", arguments: 1...8)
    func mutations(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let card = #"{"number":"\#(Self.number)","cvv":"\#(Self.cvv)","expiry_month":12,"expiry_year":2030}"#
        let valid = Array(CommandMessage.authorizeBody(card: card, more: #","more":[{"card":\#(card)},"a"]"#).utf8)
        for _ in 0..<4_000 {
            var body = valid
            for _ in 0...Int.random(in: 0...3, using: &random) { Self.mutate(&body, &random) }
            let kind = OperationKind.allCases.randomElement(using: &random)
            let reduced = ReducedMessage(Message(body: body), kind: kind)
            let text = String(decoding: reduced.message.body, as: UTF8.self)
            let isFound = text.contains(Self.number) || text.contains(Self.cvv)
            #expect(!isFound, "\(String(decoding: body, as: UTF8.self))")
            if isFound { return }
            if reduced.isReplayable { #expect(Self.command(reduced.message.body, kind) == Self.command(body, kind)) }
        }
    }

    @Test("bytes without any sense are reduced too", arguments: 1...4)
    func noise(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<4_000 {
            let body = (0..<Int.random(in: 0..<200, using: &random)).map { _ in
                random.next() % 3 == 0 ? UInt8.random(in: 0x30...0x39, using: &random) : UInt8(random.next() & 0xff)
            }
            let reduced = ReducedMessage(Message(body: body), kind: .void)
            let digits = reduced.message.body.count { (0x30...0x39).contains($0) }
            #expect(digits < 3 || reduced.message.body == body && (try? JSONParser.parse(body)) != nil)
        }
    }

    /// What the decoder makes of it: what may be replayed is the command that it was.
    private static func command(_ body: [UInt8], _ kind: OperationKind?) -> DecodedMessage {
        CommandDecoder().decode(CommandMessage.valid(kind ?? .void) { $0.body = body })
    }

    /// What happens to texts: bytes are changed, lost, doubled, moved; names and quotes are lost.
    private static func mutate(_ body: inout [UInt8], _ random: inout SplitMix64) {
        guard body.count > 2 else { return }
        let position = Int.random(in: 0..<body.count, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        // Not into a digit: another CVV than the one that is looked for is found by nobody.
        case 0: body[position] = UInt8(ascii: "x")
        case 1: body.remove(at: position)
        case 2: body.insert(UInt8.random(in: 0x20...0x7e, using: &random), at: position)
        case 3: body.removeSubrange(position...)
        case 4: body.insert(contentsOf: #""a":"#.utf8, at: position)
        case 5: body += body[position...]
        case 6: body[position] = UInt8.random(in: 0x80...0xff, using: &random)
        default:
            let names = ["card", "number", "cvv", "order_id", "customer_id", "amount"]
            let name = Array((names.randomElement(using: &random) ?? "").utf8)
            let other = Array((names.randomElement(using: &random) ?? "").utf8)
            if let range = body.firstRange(of: name) { body.replaceSubrange(range, with: other) }
        }
    }
}
