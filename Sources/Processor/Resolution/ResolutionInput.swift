import Core
import HTTPClient
import Logging
import Postgres

/// An order as an operator or a client gave it: texts, checked by the same rules.
struct ResolutionInput: Hashable, Sendable {
    let operation: String
    /// `failed` or `succeeded`.
    let end: String
    let bankID: String?
    let reason: String
    let merchantID: String?
    var isConfirmed = false

    init(operation: String, end: String, bankID: String?, reason: String, merchantID: String?) {
        self.operation = operation
        self.end = end
        self.bankID = bankID
        self.reason = reason
        self.merchantID = merchantID
    }

    private static let names: Set<String> = ["as", "bank_id", "confirm", "merchant_id", "operation", "reason"]

    /// The body of `POST /payments/{id}/resolve`.
    init(_ body: [UInt8]) throws(InvalidField) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(body)
        } catch {
            throw InvalidField("body", error.description)
        }
        guard case .object(let members) = value else { throw InvalidField("body", "must be a JSON object") }
        guard members.keys.allSatisfy(Self.names.contains) else {
            throw InvalidField("body", "knows only \(Self.names.sorted().joined(separator: ", "))")
        }
        self.init(
            operation: try Self.needed(members, "operation"),
            end: try Self.needed(members, "as"),
            bankID: try Self.text(members, "bank_id"),
            reason: try Self.needed(members, "reason"),
            merchantID: try Self.text(members, "merchant_id")
        )
        switch members["confirm"] {
        case nil, .null?: isConfirmed = false
        case .bool(let flag)?: isConfirmed = flag
        default: throw InvalidField("confirm", "must be true or false")
        }
    }

    func order(on payment: PaymentID, by actor: String) throws(InvalidField) -> ResolutionOrder {
        guard let end = ResolutionOrder.End(rawValue: end) else {
            throw InvalidField("as", "must be failed or succeeded")
        }
        var merchant: MerchantID?
        if let merchantID {
            merchant = MerchantID(merchantID)
            guard merchant != nil else {
                throw InvalidField("merchant_id", "must be 1 to 64 letters, digits, '.', '_' and '-'")
            }
        }
        return try ResolutionOrder(
            paymentID: payment,
            merchantID: merchant,
            operation: operation,
            end: end,
            bankID: bankID,
            reason: reason,
            actor: actor
        )
    }

    private static func needed(_ members: [String: JSONValue], _ name: String) throws(InvalidField) -> String {
        guard let text = try text(members, name) else { throw InvalidField(name, "is needed") }
        return text
    }

    /// Null counts as not given.
    private static func text(_ members: [String: JSONValue], _ name: String) throws(InvalidField) -> String? {
        guard let value = members[name], !value.isNull else { return nil }
        guard let text = value.string else { throw InvalidField(name, "must be a string") }
        return text
    }
}

extension OperationResolver {
    /// For a command of an operator, in a process of its own: running processors send what it writes to the outbox.
    ///
    /// - Throws: `HTTPError` where the process is out of threads or descriptors.
    init(_ configuration: ProcessorConfiguration) throws {
        let pool = PostgresPool.forCommand(configuration)
        let client = try HTTPClient(
            configuration: .bank(configuration.bankTLS)
        )
        self.init(
            store: PostgresPaymentStore(
                claimPool: pool,
                resultPool: pool,
                sweepPool: pool,
                fingerprinter: configuration.fingerprinter
            ),
            queries: PostgresPaymentQueries(pool: pool),
            deadLetters: PostgresDeadLetterStore(pool: pool),
            bank: HTTPBank(client: client, url: configuration.bank.base),
            signal: WakeUpSignal(),
            time: SystemTime(),
            random: SystemRandom(),
            observer: ProcessorTelemetry(
                logger: Logger(label: "processor"),
                metrics: ProcessorMetrics(registry: PrometheusRegistry()),
                readiness: Readiness(),
                time: SystemTime()
            ),
            limits: configuration.limits
        )
    }
}
