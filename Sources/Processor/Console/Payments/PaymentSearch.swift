import Core

/// Finds payments by whatever a person has: one id, of which nobody says what it names.
struct PaymentSearch: Sendable {
    let queries: any PaymentQueries
    let deadLetters: any DeadLetterQueries

    /// What an id turned out to name.
    enum Found: Sendable {
        case payment(PaymentID)
        case deadLetter(DeadLetterID)
        /// By what it named, each with a page of payments.
        case lists([(kind: Kind, page: PaymentPage)])
    }

    enum Kind: String, CaseIterable, Sendable {
        case order = "order id"
        case idempotencyKey = "idempotency key"
        case bank = "bank id"
        case customer = "customer id"
        case message = "message id"

        func filter(_ id: String) -> PaymentFilter? {
            var filter = PaymentFilter()
            switch self {
            case .order: filter.orderID = id
            case .customer: filter.customerID = id
            case .bank: filter.bankID = id
            case .message: filter.messageID = id
            case .idempotencyKey:
                guard let key = IdempotencyKey(id) else { return nil }
                filter.idempotencyKey = key
            }
            return filter
        }

        func input(_ id: String) -> PaymentQueryInput {
            var input = PaymentQueryInput()
            switch self {
            case .order: input.orderID = id
            case .customer: input.customerID = id
            case .bank: input.bankID = id
            case .message: input.messageID = id
            case .idempotencyKey: input.idempotencyKey = id
            }
            return input
        }
    }

    func find(_ id: String) async throws -> Found {
        let text = try PaymentQueryInput.checked(id, "id")
        if let payment = PaymentID(text), try await queries.payment(payment) != nil { return .payment(payment) }
        if let deadLetter = DeadLetterID(text), try await deadLetters.deadLetter(deadLetter) != nil {
            return .deadLetter(deadLetter)
        }
        var lists: [(kind: Kind, page: PaymentPage)] = []
        for kind in Kind.allCases {
            guard let filter = kind.filter(text) else { continue }
            let query = PaymentQuery(filter: filter, merchantID: nil, limit: PaymentPages.pageSize, after: nil)
            let page = try await queries.payments(query)
            if !page.payments.isEmpty { lists.append((kind, page)) }
        }
        // One payment, however it was named: no list of one to choose from.
        let found = Set(lists.flatMap { $0.page.payments.map(\.id) })
        if found.count == 1, let payment = found.first, lists.allSatisfy({ $0.page.next == nil }) {
            return .payment(payment)
        }
        return .lists(lists)
    }
}
