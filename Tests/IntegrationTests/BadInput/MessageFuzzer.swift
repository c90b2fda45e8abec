import AMQP

/// Makes messages that were commands once: pieces are missing, changed, of another type, or noise. Nothing that the broker itself
/// would act upon (`CC`, `expiration`, `user_id`).
struct MessageFuzzer {
    private var random: SplitMix

    init(seed: UInt64) {
        random = SplitMix(state: seed)
    }

    mutating func next(replyTo: String) -> AMQPMessage {
        let id = Random.id
        let commands = [TestCommand.authorize(), .capture(id, amount: 5000), .void(id), .refund(id)]
        var message = commands[pick(commands.count)].message(replyTo: replyTo)
        for _ in 0...pick(3) { change(&message) }
        return message
    }

    private mutating func change(_ message: inout AMQPMessage) {
        let names = ["payment-id", "idempotency-key", "merchant-id", "deadline", "traceparent", "waiting-since"]
        switch pick(11) {
        case 0: message.body = bytes(upTo: 2_000)
        case 1 where !message.body.isEmpty: message.body[pick(message.body.count)] = UInt8(pick(256))
        case 2: message.body.removeLast(pick(message.body.count + 1))
        case 3: message.body += bytes(upTo: 10)
        case 4: message.properties.headers[names[pick(names.count)]] = nil
        case 5, 6: message.properties.headers[names[pick(names.count)]] = value()
        case 7: message.properties.headers["x-\(text(upTo: 10))"] = value()
        case 8: message.properties.type = pick(2) == 0 ? nil : text(upTo: 40)
        case 9: message.properties.contentType = pick(2) == 0 ? nil : text(upTo: 40)
        default:
            message.properties.messageID = pick(2) == 0 ? nil : text(upTo: 150)
            message.properties.correlationID = text(upTo: 60)
            if pick(2) == 0 { message.properties.undecoded[.messageID] = [0xff] + bytes(upTo: 254) }
            if pick(2) == 0 { message.properties.undecoded[.appID] = [0xff] + bytes(upTo: 254) }
            // Not one that is allowed and not there: its reply could not be counted.
            if pick(4) == 0 { message.properties.replyTo = "x" + text(upTo: 40) }
        }
    }

    private mutating func value() -> AMQPValue {
        switch pick(11) {
        case 0: .bool(pick(2) == 0)
        case 1: .int(Int64(bitPattern: random.next()))
        case 2: .unsigned(random.next())
        case 3: .double(Double(random.next()))
        case 4: .bytes(bytes(upTo: 50))
        case 5: .timestamp(random.next())
        case 6: .decimal(scale: UInt8(pick(10)), value: UInt32(pick(1_000)))
        case 7: .array([value(), value()])
        case 8: .table(["a": value(), "b": value()])
        case 9: .void
        default: .string(text(upTo: 300))
        }
    }

    private mutating func text(upTo count: Int) -> String {
        let characters: [Character] = [
            "a", "Z", "0", "9", " ", "\"", "\\", "\u{0}", "\u{1b}", "\n", "é", "漢", "{", ".", "-",
        ]
        // Three bytes each at most, and a property holds 255.
        return String((0..<min(pick(count), 80)).map { _ in characters[pick(characters.count)] })
    }

    private mutating func bytes(upTo count: Int) -> [UInt8] {
        (0..<pick(count)).map { _ in UInt8(pick(256)) }
    }

    private mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
}

/// Small and good enough; the same numbers for the same seed.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
