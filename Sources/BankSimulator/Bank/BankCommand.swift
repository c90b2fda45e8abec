/// A POST, as far as its body could be read. An identifier nobody could have been given is nil: for the bank that is
/// the same as an unknown one.
enum BankCommand: Equatable, Sendable {
    case authorize(AuthorizeRequest)
    case capture(authorizationID: EffectID?, amount: Int64)
    case void(authorizationID: EffectID?)
    case refund(captureID: EffectID?, amount: Int64)
}

extension BankCommand {
    /// A body the bank cannot read: it answers 400 in plain text.
    struct Malformed: Error {}

    /// Reads a body the way the bank does: the first JSON value counts, trailing garbage and unknown fields do not, a
    /// field that is missing or null has its empty value, and a field of the wrong type is malformed.
    ///
    /// - Parameters:
    ///   - operation: any but `get`, which has no body.
    ///   - body: the whole of it.
    /// - Throws: ``Malformed``.
    init(_ operation: BankOperation, body: [UInt8]) throws(Malformed) {
        let fields = try BodyFields(body)
        switch operation {
        case .authorize:
            self = .authorize(
                AuthorizeRequest(
                    cardNumber: try fields.string("card_number"),
                    cvv: try fields.string("cvv"),
                    amount: try fields.integer("amount")
                )
            )
        case .capture:
            self = .capture(
                authorizationID: EffectID(try fields.string("authorization_id"), .authorization),
                amount: try fields.integer("amount")
            )
        case .void:
            self = .void(authorizationID: EffectID(try fields.string("authorization_id"), .authorization))
        case .refund:
            self = .refund(
                captureID: EffectID(try fields.string("capture_id"), .capture),
                amount: try fields.integer("amount")
            )
        case .get:
            throw Malformed()
        }
    }
}

/// The fields of a body; `null` has none.
private struct BodyFields {
    private let members: [String: JSONValue]

    init(_ body: [UInt8]) throws(BankCommand.Malformed) {
        do {
            switch try JSONParser.firstValue(in: body) {
            case .object(let members): self.members = members
            case .null: members = [:]
            default: throw BankCommand.Malformed()
            }
        } catch {
            throw BankCommand.Malformed()
        }
    }

    func string(_ name: String) throws(BankCommand.Malformed) -> String {
        switch members[name] {
        case .string(let text): return text
        case nil, .null: return ""
        default: throw BankCommand.Malformed()
        }
    }

    func integer(_ name: String) throws(BankCommand.Malformed) -> Int64 {
        switch members[name] {
        case .number(let token):
            guard let value = Int64(token) else { throw BankCommand.Malformed() }
            return value
        case nil, .null: return 0
        default: throw BankCommand.Malformed()
        }
    }
}

/// What an authorization asks for. The expiry date of the request is not here: the bank ignores it, only the account's
/// counts.
struct AuthorizeRequest: Equatable, Sendable {
    let cardNumber: String
    let cvv: String
    /// Cents.
    let amount: Int64
}

/// Card data never shows, not even in a test's failure message.
extension AuthorizeRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "AuthorizeRequest(amount: \(amount))" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: ["amount": amount]) }
}

/// A GET of one record; nil for an identifier nobody could have been given. There is none for voids.
enum BankQuery: Equatable, Sendable {
    case authorization(EffectID?)
    case capture(EffectID?)
    case refund(EffectID?)
}

/// What a client can ask of the bank. Faults are aimed at one of these.
enum BankOperation: String, CaseIterable, Sendable {
    case authorize
    case capture
    case void
    case refund
    /// Reading any of the records.
    case get

    /// What an effect of it is named; reading has none, and is named like what it reads most.
    var effectKind: EffectID.Kind {
        switch self {
        case .authorize, .get: .authorization
        case .capture: .capture
        case .void: .void
        case .refund: .refund
        }
    }
}
