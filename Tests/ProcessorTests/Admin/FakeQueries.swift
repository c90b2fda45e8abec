import Core
import Synchronization

/// Payments in memory.
final class FakeQueries: PaymentQueries {
    private let views: [PaymentView]
    private let failure: StoreError?
    private let asked = Mutex<[PaymentQuery]>([])

    init(_ views: [PaymentView] = [], failure: StoreError? = nil) {
        self.views = views
        self.failure = failure
    }

    /// The lists that were asked for.
    var queries: [PaymentQuery] { asked.withLock { $0 } }

    func payment(_ id: PaymentID) async throws(StoreError) -> PaymentView? {
        if let failure { throw failure }
        return views.first { $0.payment.id == id }
    }

    func payments(_ query: PaymentQuery) async throws(StoreError) -> PaymentPage {
        if let failure { throw failure }
        asked.withLock { $0.append(query) }
        let matching = views.map(\.payment).filter { payment in
            query.filter.matches(payment) && (!query.filter.isPossibleOrphans || orphans[payment.id] != nil)
        }
        .filter { query.merchantID == nil || $0.merchantID == query.merchantID }
        .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        .filter { payment in query.after.map { (payment.createdAt, payment.id) < ($0.at, $0.id) } ?? true }
        let page = matching.prefix(query.limit)
        let isOrphans = query.filter.isPossibleOrphans
        let next = matching.count > page.count ? page.last : nil
        return PaymentPage(
            payments: Array(page),
            next: next.map { PageCursor(at: $0.createdAt, id: $0.id) },
            orphans: isOrphans ? orphans.filter { id, _ in page.contains { $0.id == id } } : [:]
        )
    }

    private var orphans: [PaymentID: PossibleOrphan] {
        views.reduce(into: [:]) { $0[$1.payment.id] = $1.orphan }
    }
}
