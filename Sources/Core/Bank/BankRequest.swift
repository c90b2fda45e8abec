/// One request to the bank (docs/bank.md). The key is the operation's own, the same for every attempt.
package struct BankRequest: Hashable, Sendable {
    package let action: BankAction
    package let idempotencyKey: String
    package let traceparent: String?
    /// How long the caller waits for the answer.
    package let timeout: Duration
    /// How long the exchange may go on: a call that is given up on is not cut before, because that makes the bank forget its key
    /// (docs/correctness.md#cut-calls).
    package let limit: Duration
    /// `nil` for what cannot be executed.
    package let origin: RequestOrigin?

    /// `limit`: the timeout where it is `nil`.
    package init(
        action: BankAction,
        idempotencyKey: String,
        traceparent: String?,
        timeout: Duration,
        limit: Duration? = nil,
        origin: RequestOrigin? = nil
    ) {
        self.action = action
        self.idempotencyKey = idempotencyKey
        self.traceparent = traceparent
        self.timeout = timeout
        self.limit = limit ?? timeout
        self.origin = origin
    }
}

/// What the bank is asked to do, with all that it needs. Amounts are minor units of USD.
package enum BankAction: Hashable, Sendable {
    case authorize(card: CardDetails, amount: Int64)
    case capture(authorizationID: String, amount: Int64)
    case void(authorizationID: String)
    case refund(captureID: String, amount: Int64)
    /// Asks what became of an earlier request under the same key, without anything that could be executed: the bank looks the key
    /// up before it reads the body (docs/bank.md#behaviour).
    case inquiry(OperationKind, BankExpectation)

    package var kind: OperationKind {
        switch self {
        case .authorize: .authorize
        case .capture: .capture
        case .void: .void
        case .refund: .refund
        case .inquiry(let kind, _): kind
        }
    }

    /// Whether it only asks: there is nothing in it that could be executed.
    package var isInquiry: Bool {
        if case .inquiry = self { true } else { false }
    }

    /// What a success must echo.
    var expectation: BankExpectation {
        switch self {
        case .authorize(_, let amount): BankExpectation(amount: amount)
        case .capture(let id, let amount): BankExpectation(amount: amount, authorizationID: id)
        case .void(let id): BankExpectation(authorizationID: id)
        case .refund(let id, let amount): BankExpectation(amount: amount, captureID: id)
        case .inquiry(_, let expectation): expectation
        }
    }

    /// Asks by the key of an operation on a payment.
    package static func inquiry(about kind: OperationKind, of payment: Payment) -> BankAction {
        let amount = payment.amount.minorUnits
        let expectation =
            switch kind {
            case .authorize: BankExpectation(amount: amount)
            case .capture: BankExpectation(amount: amount, authorizationID: payment.bank.authorizationID)
            case .void: BankExpectation(authorizationID: payment.bank.authorizationID)
            case .refund: BankExpectation(amount: amount, captureID: payment.bank.captureID)
            }
        return .inquiry(kind, expectation)
    }

    /// `nil` where the payment lacks the bank id that the operation needs, which the state machine rules out.
    package init?(_ parameters: CommandParameters, for payment: Payment) {
        let amount = payment.amount.minorUnits
        switch parameters {
        case .authorize(let parameters):
            self = .authorize(card: parameters.card, amount: amount)
        case .capture:
            guard let id = payment.bank.authorizationID else { return nil }
            self = .capture(authorizationID: id, amount: amount)
        case .void:
            guard let id = payment.bank.authorizationID else { return nil }
            self = .void(authorizationID: id)
        case .refund:
            guard let id = payment.bank.captureID else { return nil }
            self = .refund(captureID: id, amount: amount)
        }
    }
}

/// What the answer to a request must echo; `nil` where the operation has no such field. Amounts are minor units of USD.
package struct BankExpectation: Hashable, Sendable {
    package let amount: Int64?
    package let authorizationID: String?
    package let captureID: String?

    package init(amount: Int64? = nil, authorizationID: String? = nil, captureID: String? = nil) {
        self.amount = amount
        self.authorizationID = authorizationID
        self.captureID = captureID
    }
}

/// A question to the bank, which changes nothing there (docs/bank.md).
package enum BankQuery: Hashable, Sendable {
    case authorization(String)
    case capture(String)
    case refund(String)
    /// Whether it is well; asked for its clock.
    case health
}

/// Which attempt a request to the bank belongs to: enough to find it in the store when the process that sent it is gone.
package struct RequestOrigin: Hashable, Sendable {
    package let paymentID: PaymentID
    package let operationID: OperationID
    package let fencingToken: Int64

    package init(_ operation: Operation) {
        paymentID = operation.paymentID
        operationID = operation.id
        fencingToken = operation.fencingToken
    }

    package static let byteCount = 40

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for word in [
            paymentID.value.high, paymentID.value.low, operationID.value.high, operationID.value.low,
            UInt64(bitPattern: fencingToken),
        ] {
            withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        let words = stride(from: 0, to: Self.byteCount, by: 8).map { start in
            bytes[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        paymentID = PaymentID(UniqueID(high: words[0], low: words[1]))
        operationID = OperationID(UniqueID(high: words[2], low: words[3]))
        fencingToken = Int64(bitPattern: words[4])
    }
}
