import Core
import Hummingbird

/// Payments: found by any id, listed by any filter, and one of them with all that happened to it.
struct PaymentPages: Sendable {
    let console: Console

    static let pageSize = 50
    private static let mostDeadLetters = 100

    func add(to router: Router<AdminContext>) {
        console.get("console/payments", on: router) { visit, _ in try await list(visit) }
        console.get("console/payments/:id", on: router) { visit, parameters in
            try await show(parameters.get("id") ?? "", visit)
        }
    }

    // MARK: Lists

    private func list(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let fields = visit.fields
        var content = PaymentsContent(fields)
        if let id = fields["id"] {
            do {
                switch try await search.find(id) {
                case .payment(let payment): return .seeOther("/console/payments/\(payment)")
                case .deadLetter(let deadLetter): return .seeOther("/console/dead-letters/\(deadLetter)")
                case .lists(let lists):
                    let kinds = lists.isEmpty ? PaymentSearch.Kind.allCases : lists.map(\.kind)
                    content.commands = kinds.map { CommandText($0.input(id).words) }
                    content.lists = lists.map { kind, page in
                        PaymentRows(
                            page,
                            caption: "By \(kind.rawValue)",
                            next: page.next.map { next in Self.path(kind.input(id), cursor: next) },
                            now: now
                        )
                    }
                    content.nothing =
                        "No payment has the id “\(id)”, under any name. "
                        + "Of several messages of one idempotency key, the first is known; the log has the others."
                }
            } catch let problem as InvalidField {
                content.problem = "The id \(problem.problem)."
            }
        } else {
            let input = PaymentQueryInput(fields)
            do {
                let query = try input.query(needsFilter: false)
                let page = try await console.parts.queries.payments(query)
                let next = page.next.map { Self.path(input, cursor: $0) }
                if !page.payments.isEmpty || next != nil {
                    let caption = page.payments.isEmpty ? "None among those looked through so far" : "Newest first"
                    content.lists = [PaymentRows(page, caption: caption, next: next, now: now)]
                }
                content.commands = [
                    CommandText(input.isEmpty ? ["payments", "list", "--since", Self.yesterday(now)] : input.words)
                ]
            } catch let problem as InvalidField {
                content.problem = "\(problem)."
            }
        }
        return .page(
            ConsolePage(title: "Payments", section: .payments, template: "payments", content: content)
        )
    }

    private var search: PaymentSearch {
        PaymentSearch(queries: console.parts.queries, deadLetters: console.parts.deadLetters.queries)
    }

    /// The command line lists nothing without a filter.
    private static func yesterday(_ now: Timestamp) -> String {
        "\(now.advanced(by: .seconds(-86_400)).description.prefix(19))Z"
    }

    private var now: Timestamp { console.parts.time.now() }

    private static func path(_ input: PaymentQueryInput, cursor: PageCursor) -> String {
        ConsolePath.link("/console/payments", input.parameters + [("cursor", cursor.description)])
    }

    // MARK: One payment

    private func show(_ text: String, _ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        guard let id = PaymentID(text), let view = try await console.parts.queries.payment(id) else {
            throw ConsoleFailure.notFound("payment")
        }
        var filter = DeadLetterFilter()
        filter.paymentID = id
        filter.states = Set(DeadLetterState.allCases)
        let facts = PaymentFacts(
            view: view,
            trace: try await console.parts.reading.trace(of: id),
            deadLetters: try await console.parts.deadLetters.queries.deadLetters(filter, limit: Self.mostDeadLetters),
            now: now
        )
        return .page(
            ConsolePage(
                title: "Payment of order \(view.payment.orderID)",
                section: .payments,
                template: "payment",
                content: PaymentContent(facts)
            )
        )
    }
}

extension PaymentQueryInput {
    /// What the form of the list has.
    init(_ fields: FormFields) {
        self.init(
            orderID: fields["order_id"],
            customerID: fields["customer_id"],
            possibleOrphans: fields["possible_orphans"],
            status: fields["status"],
            idempotencyKey: fields["idempotency_key"],
            bankID: fields["bank_id"],
            messageID: fields["message_id"],
            since: fields["since"],
            until: fields["until"],
            merchantID: fields["merchant_id"],
            limit: fields["limit"],
            cursor: fields["cursor"]
        )
    }

    var isEmpty: Bool { parameters.allSatisfy { $0.1 == nil } }

    /// Without the place in the list.
    var parameters: [(String, String?)] {
        [
            ("order_id", orderID), ("customer_id", customerID), ("possible_orphans", possibleOrphans),
            ("status", status), ("idempotency_key", idempotencyKey), ("bank_id", bankID), ("message_id", messageID),
            ("since", since), ("until", until), ("merchant_id", merchantID), ("limit", limit),
        ]
    }

    /// The command that lists the same.
    var words: [String?] {
        var words: [String?] = ["payments", "list"]
        for (name, value) in parameters where value != nil {
            if name == "possible_orphans" {
                words.append("--possible-orphans")
            } else {
                let option = name == "merchant_id" ? "merchant" : name.replacing("_", with: "-")
                words += CommandText.option("--\(option)", value)
            }
        }
        return words
    }
}

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
