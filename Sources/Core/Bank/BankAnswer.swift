/// What came back from the bank, as far as the wire tells.
package enum BankAnswer: Hashable, Sendable {
    /// A complete HTTP answer, whatever it says.
    case response(BankResponse)
    /// Not a byte of the request can have reached the bank. The reason is a code.
    case notSent(reason: String)
    /// Sent, and no whole answer: the bank may have executed it, or may still.
    case noAnswer(reason: String)

    /// Whether it tells of a bank that is unavailable, rather than of a command that it does not like: what the circuit breaker
    /// counts.
    var isOutage: Bool {
        switch self {
        case .notSent, .noAnswer: return true
        case .response(let response):
            if (400..<500).contains(response.status), BankDoor(response) != nil { return false }
            guard case .json(let body) = response.body else { return true }
            return response.status >= 500 || body["error"]?.string == BankCode.internalError.rawValue
        }
    }

    /// A refusal that is not in the bank's own words. To a question without a body it tells nothing of how the bank is.
    var isUnreadableRefusal: Bool {
        guard case .response(let response) = self, (400..<500).contains(response.status), BankDoor(response) == nil
        else { return false }
        if case .json = response.body { return false }
        return true
    }

    /// Whether the bank refuses us, and not the command.
    var isAccessRefused: Bool {
        guard case .response(let response) = self, case .accessRefused = BankDoor(response) else { return false }
        return true
    }

    /// What there is to say of a failure in one word.
    var cause: String {
        switch self {
        case .notSent(let reason), .noAnswer(let reason): reason
        case .response(let response): "http_\(response.status)"
        }
    }

    /// The same answer without the card of the request, should the bank have echoed it
    /// (docs/correctness.md#no-card-data-at-rest).
    func redacted(for action: BankAction) -> BankAnswer {
        guard case .response(let response) = self, case .authorize(let card, _) = action else { return self }
        return .response(response.redacting(card))
    }
}

package struct BankResponse: Hashable, Sendable {
    package let status: Int
    package let body: Body
    /// The bank's `X-Idempotent-Replayed`.
    package let isReplayed: Bool
    /// The bank's clock: its `Date` header. Read for questions only (docs/correctness.md#whose-clock).
    package let date: Timestamp?
    /// Its `Retry-After`, an hour at most.
    package let retryAfter: Duration?

    package enum Body: Hashable, Sendable {
        case json(JSONValue)
        /// Not JSON: its text, cut to 1 KiB (docs/contract.md#replies).
        case text(String)
    }

    package init(
        status: Int,
        body: Body,
        isReplayed: Bool = false,
        date: Timestamp? = nil,
        retryAfter: Duration? = nil
    ) {
        self.status = status
        self.body = body
        self.isReplayed = isReplayed
        self.date = date
        self.retryAfter = retryAfter.map { min(max($0, .zero), Self.longestRetryAfter) }
    }

    private static let longestRetryAfter = Duration.seconds(3_600)

    /// Reads a body that should be JSON and may be anything (docs/correctness.md#codes-that-lie).
    package init(
        status: Int,
        bytes: [UInt8],
        isReplayed: Bool,
        date: Timestamp? = nil,
        retryAfter: Duration? = nil
    ) {
        let body: Body
        let bytes = bytes.starts(with: Self.byteOrderMark) ? Array(bytes.dropFirst(Self.byteOrderMark.count)) : bytes
        if let json = try? JSONParser.parse(bytes) {
            body = .json(json)
        } else {
            body = .text(String(decoding: bytes.prefix(1_024), as: UTF8.self))
        }
        self.init(status: status, body: body, isReplayed: isReplayed, date: date, retryAfter: retryAfter)
    }

    /// Allowed before JSON by those who read it (RFC 8259 §8.1).
    private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        switch body {
        case .json(let value): writer.member("body", value)
        case .text(let text): writer.member("body", text)
        }
        writer.member("status", Int64(status))
        writer.endObject()
    }

    var encoded: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// The same answer without the card, should the bank have echoed it: of the number only BIN and last four stay, of the CVV nothing
    /// (docs/correctness.md#no-card-data-at-rest).
    package func redacting(_ card: CardDetails) -> BankResponse {
        let echo = CardEcho(card)
        let body: Body =
            switch body {
            case .json(let value): .json(echo.removed(from: value))
            case .text(let text): .text(echo.removed(fromSentence: text))
            }
        return with(body: body)
    }

    /// The same answer with another body.
    package func with(body: Body) -> BankResponse {
        BankResponse(status: status, body: body, isReplayed: isReplayed, date: date, retryAfter: retryAfter)
    }
}

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
