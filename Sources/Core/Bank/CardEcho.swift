/// Takes a card out of what the bank says after it was sent one (docs/correctness.md#no-card-data-at-rest): the number, in one run or in
/// groups, and the CVV.
struct CardEcho {
    private let numbers: KnownCards
    private let cvv: [UInt8]

    init(_ card: CardDetails) {
        numbers = KnownCards(card)
        cvv = card.cvvDigits
    }

    /// - Parameter name: of the member whose value it is.
    func removed(from value: JSONValue, named name: String? = nil) -> JSONValue {
        stands(in: value, named: name) ? replaced(value, named: name) : value
    }

    /// The CVV as well, where it is a word of its own.
    func removed(fromSentence text: String) -> String {
        var bytes = Array((numbers.stand(in: text) ? numbers.masked(text) : text).utf8)
        for place in places(in: bytes) {
            for index in place { bytes[index] = UInt8(ascii: "*") }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func stands(in value: JSONValue, named name: String?) -> Bool {
        switch value {
        case .string(let text):
            numbers.stand(in: text) || !Self.isReference(name) && !places(in: Array(text.utf8)).isEmpty
        case .number(let token): numbers.stand(in: token)
        case .array(let elements): elements.contains { stands(in: $0, named: name) }
        case .object(let members): members.contains { numbers.stand(in: $0.key) || stands(in: $0.value, named: $0.key) }
        case .null, .bool: false
        }
    }

    private func replaced(_ value: JSONValue, named name: String?) -> JSONValue {
        switch value {
        case .string(let text):
            .string(Self.isReference(name) ? numbers.masked(text) : removed(fromSentence: text))
        case .number(let token): numbers.stand(in: token) ? .string(numbers.masked(token)) : value
        case .array(let elements): .array(elements.map { replaced($0, named: name) })
        case .object(let members):
            .object(
                Dictionary(
                    members.map { (numbers.masked($0), replaced($1, named: $0)) },
                    uniquingKeysWith: { first, _ in first }
                )
            )
        case .null, .bool: value
        }
    }

    /// Ids and times: three digits of theirs are no CVV.
    private static func isReference(_ name: String?) -> Bool {
        name?.hasSuffix("_id") == true || name?.hasSuffix("_at") == true
    }

    private func places(in bytes: [UInt8]) -> [Range<Int>] {
        guard bytes.count >= cvv.count else { return [] }
        return (0...bytes.count - cvv.count).compactMap { start in
            let end = start + cvv.count
            guard bytes[start] == cvv[0], bytes[start..<end].elementsEqual(cvv),
                start == 0 || !Self.isWord(bytes[start - 1]), end == bytes.count || !Self.isWord(bytes[end])
            else { return nil }
            return start..<end
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        CardDigits.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
