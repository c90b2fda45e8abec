/// The card numbers that a command's own body names as such: where one stands in an id, it is a card number and no id
/// (docs/correctness.md#no-card-data-at-rest).
struct KnownCards {
    /// 12 to 19 ASCII digits each.
    private let numbers: [[UInt8]]

    init(_ card: CardDetails) {
        numbers = [card.numberDigits]
    }

    /// - Parameters:
    ///   - body: anything; of what is no JSON, what stands where a number should.
    ///   - cards: opens a sealed card of the body, to look into it.
    init(in body: [UInt8], opening cards: CardIntake = CardIntake()) {
        numbers = wipingStack { Self.found(in: body, opening: cards) }
    }

    private static func found(in body: [UInt8], opening cards: CardIntake) -> [[UInt8]] {
        let body = body.prefix(BodyDecoder.maximumSize)
        var found: [[UInt8]] = []
        if let value = try? JSONParser.parse(Array(body)) {
            collect(value, &found)
            if let token = value[SealedCardProblem.field], let content = try? cards.content(of: token),
                let inside = try? JSONParser.parse(content)
            {
                collect(inside, &found)
            }
        } else {
            var rest = body[...]
            while let name = rest.firstRange(of: field) {
                rest = rest[name.upperBound...].drop { !CardDigits.isDigit($0) && $0 != UInt8(ascii: ",") }
                note(rest.prefix { CardDigits.isDigit($0) || isSeparator($0) }, &found)
            }
        }
        return found
    }

    private static let field = Array(#"number""#.utf8)

    private static func collect(_ value: JSONValue, _ found: inout [[UInt8]]) {
        switch value {
        case .array(let elements):
            for element in elements { collect(element, &found) }
        case .object(let members):
            for (name, value) in members {
                switch value {
                case .string(let text) where name == "number", .number(let text) where name == "number":
                    note(text.utf8, &found)
                default: collect(value, &found)
                }
            }
        case .null, .bool, .number, .string: break
        }
    }

    private static func note(_ text: some Sequence<UInt8>, _ found: inout [[UInt8]]) {
        let number = text.filter { !isSeparator($0) }
        if (12...19).contains(number.count), number.allSatisfy(CardDigits.isDigit) { found.append(number) }
    }

    func stand(in text: String?) -> Bool {
        guard let text, !numbers.isEmpty, text.utf8.count >= 12 else { return false }
        let bytes = Array(text.utf8)
        return numbers.contains { Self.place(of: $0, in: bytes, from: 0) != nil }
    }

    func stand(in id: CorrelationID?) -> Bool {
        guard let id, !numbers.isEmpty else { return false }
        return stand(in: id.text ?? String(decoding: id.bytes, as: UTF8.self))
    }

    /// The text with the middle of each of them starred out.
    func masked(_ text: String) -> String {
        guard stand(in: text) else { return text }
        var bytes = Array(text.utf8)
        for number in numbers {
            var start = 0
            while let place = Self.place(of: number, in: bytes, from: start) {
                CardDigits.star(place, &bytes)
                start = (place.last ?? start) + 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Where its digits stand, with separators between them or without.
    private static func place(of number: [UInt8], in bytes: [UInt8], from start: Int) -> [Int]? {
        for first in bytes.indices.dropFirst(start) where bytes[first] == number[0] {
            var place = [first]
            var index = first + 1
            while place.count < number.count, index < bytes.count {
                if bytes[index] == number[place.count] {
                    place.append(index)
                } else if !isSeparator(bytes[index]) {
                    break
                }
                index += 1
            }
            if place.count == number.count { return place }
        }
        return nil
    }

    private static func isSeparator(_ byte: UInt8) -> Bool { " -._/:".utf8.contains(byte) }
}
