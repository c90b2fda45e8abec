import Core
import HTTPClient

/// The bank over HTTP (docs/bank.md).
struct HTTPBank: Bank {
    private let client: HTTPClient
    private let baseURL: String
    private let trouble: BankFailureWords?
    private let onAnswer: @Sendable (OperationKind, Duration) -> Void

    /// - Parameters:
    ///   - url: `bank.url`, with or without a slash at its end.
    ///   - trouble: told why a request got no answer.
    ///   - onAnswer: told how long each request took.
    init(
        client: HTTPClient,
        url: String,
        trouble: BankFailureWords? = nil,
        onAnswer: @escaping @Sendable (OperationKind, Duration) -> Void = { _, _ in }
    ) {
        self.client = client
        self.trouble = trouble
        self.onAnswer = onAnswer
        baseURL = url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        var headers = [
            HTTPHeader("Content-Type", "application/json"), HTTPHeader("Idempotency-Key", request.idempotencyKey),
        ]
        if let traceparent = request.traceparent { headers.append(HTTPHeader("traceparent", traceparent)) }
        let call = HTTPRequest(
            method: .post,
            url: baseURL + request.action.path,
            headers: headers,
            body: wipingStack { request.action.body },
            timeout: request.timeout,
            limit: request.limit,
            tag: request.origin?.bytes,
            isConfidential: request.action.holdsCard
        )
        let started = ContinuousClock.now
        defer { onAnswer(request.action.kind, ContinuousClock.now - started) }
        do throws(HTTPError) {
            let kind = request.action.kind
            return .response(BankResponse(try await client.send(call) { late(BankAnswer($0, to: kind)) }, to: kind))
        } catch {
            trouble?.note(error)
            return BankAnswer(error)
        }
    }
}

extension BankAnswer {
    fileprivate init(_ result: Result<HTTPResponse, HTTPError>, to kind: OperationKind) {
        switch result {
        case .success(let response): self = .response(BankResponse(response, to: kind))
        case .failure(let error): self.init(error)
        }
    }

    fileprivate init(_ error: HTTPError) {
        let reason = error.code.rawValue
        self = error.outcomeUnknown ? .noAnswer(reason: reason) : .notSent(reason: reason)
    }
}

extension BankResponse {
    /// - Parameter kind: of the operation; `nil` for a question.
    fileprivate init(_ response: HTTPResponse, to kind: OperationKind?) {
        let retryAfter = response.headers["Retry-After"]
        // Its clock matters where the bank is asked, or wants to be left alone: of a plain answer nobody reads it.
        let isClockRead = kind == nil || retryAfter != nil
        let date = isClockRead ? response.headers["Date"].flatMap { Timestamp(httpDate: $0) } : nil
        let whole = BankResponse(
            status: response.status,
            bytes: response.body,
            isReplayed: response.headers["X-Idempotent-Replayed"] == "true",
            date: date,
            retryAfter: retryAfter.flatMap { Self.pause($0, from: date) }
        )
        self = whole.with(body: BankFields(kind, status: whole.status).reduced(whole.body))
    }

    /// In seconds, or as a date (RFC 9110 §10.2.3), which is the bank's own. `nil` for anything else.
    private static func pause(_ text: String, from date: Timestamp?) -> Duration? {
        if text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), !text.isEmpty {
            return .seconds(Int64(text.prefix(9)) ?? 0)
        }
        guard let date, let until = Timestamp(httpDate: text) else { return nil }
        return date.duration(to: until)
    }
}

extension HTTPBank: BankQueries {
    func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer {
        do throws(HTTPError) {
            let request = HTTPRequest(method: .get, url: baseURL + query.path, timeout: timeout)
            return .response(BankResponse(try await client.send(request), to: nil))
        } catch {
            trouble?.note(error)
            return BankAnswer(error)
        }
    }
}

extension BankQuery {
    fileprivate var path: String {
        switch self {
        case .authorization(let id): "/api/v1/authorizations/\(id.pathSegment)"
        case .capture(let id): "/api/v1/captures/\(id.pathSegment)"
        case .refund(let id): "/api/v1/refunds/\(id.pathSegment)"
        case .health: "/health"
        }
    }
}

extension String {
    /// The bank's ids need no escaping; whatever else it might give as one must not become another path.
    fileprivate var pathSegment: String {
        var text = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}

extension BankAction {
    fileprivate var path: String {
        switch kind {
        case .authorize: "/api/v1/authorizations"
        case .capture: "/api/v1/captures"
        case .void: "/api/v1/voids"
        case .refund: "/api/v1/refunds"
        }
    }

    fileprivate var body: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        switch self {
        case .authorize(let card, let amount):
            writer.member("amount", amount)
            writer.member("card_number", digits: card.numberDigits)
            writer.member("cvv", digits: card.cvvDigits)
            writer.member("expiry_month", Int64(card.expiryMonth))
            writer.member("expiry_year", Int64(card.expiryYear))
        case .capture(let authorizationID, let amount):
            writer.member("amount", amount)
            writer.member("authorization_id", authorizationID)
        case .void(let authorizationID):
            writer.member("authorization_id", authorizationID)
        case .refund(let captureID, let amount):
            writer.member("amount", amount)
            writer.member("capture_id", captureID)
        // Nothing that could be executed: the key alone asks.
        case .inquiry: break
        }
        writer.endObject()
        return writer.bytes
    }

    /// Whether the body has a card in it.
    fileprivate var holdsCard: Bool {
        if case .authorize = self { true } else { false }
    }
}

/// What is taken of a body of the bank's: the fields that its API has for the operation and the status (docs/bank.md#api), each as far as
/// it is a plain value. Whatever else a bank may one day send, a card or a name among it, gets no further than here.
struct BankFields {
    private let names: Set<String>

    /// - Parameter kind: `nil` for a question.
    init(_ kind: OperationKind?, status: Int) {
        guard (200..<300).contains(status) else {
            names = ["error", "message"]
            return
        }
        names =
            switch kind {
            case .authorize: Self.authorization
            case .capture: Self.capture
            case .void: ["authorization_id", "status", "void_id", "voided_at"]
            case .refund: Self.refund
            case nil: Self.authorization.union(Self.capture).union(Self.refund)
            }
    }

    private static let authorization: Set = [
        "amount", "authorization_id", "created_at", "currency", "expires_at", "status",
    ]
    private static let capture: Set = ["amount", "authorization_id", "capture_id", "captured_at", "currency", "status"]
    private static let refund: Set = ["amount", "capture_id", "currency", "refund_id", "refunded_at", "status"]

    /// The body without the rest, and without anything that looks like a card number in what is meant for people.
    func reduced(_ body: BankResponse.Body) -> BankResponse.Body {
        switch body {
        case .json(.object(let members)):
            .json(.object(members.filter { names.contains($0.key) }.compactMapValues { value in plain(value) }.masked))
        // An array, or a value alone: nothing of it is known, and it says nothing.
        case .json: .json(.object([:]))
        case .text(let text): .text(CardDigits.masked(text))
        }
    }

    private func plain(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .null, .bool: value
        case .number(let token): token.utf8.count <= 64 ? value : nil
        case .string(let text): .string(text.cut(to: Self.longestText))
        case .array, .object: nil
        }
    }

    /// In bytes, as of a body that is not JSON.
    private static let longestText = 1_024
}

extension [String: JSONValue] {
    /// Of long decimal ids one in ten looks like a card number, and an id must stay whole.
    fileprivate var masked: [String: JSONValue] {
        var members = self
        for name in ["error", "message"] {
            guard let text = members[name]?.string else { continue }
            members[name] = .string(CardDigits.masked(text))
        }
        return members
    }
}

extension String {
    fileprivate func cut(to count: Int) -> String {
        guard utf8.count > count else { return self }
        return String(decoding: utf8.prefix(count), as: UTF8.self)
    }
}
