import Core

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
