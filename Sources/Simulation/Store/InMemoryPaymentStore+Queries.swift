package import Core

extension InMemoryPaymentStore: PaymentQueries {
    package func payment(_ id: PaymentID) async throws(StoreError) -> PaymentView? {
        try await read { tables in
            tables.payments[id].map { tables.view($0) }
        }
    }

    package func payments(_ query: PaymentQuery) async throws(StoreError) -> PaymentPage {
        try await read { tables in
            let found = tables.payments.values
                .compactMap { payment in tables.place(of: payment, in: query).map { (payment, at: $0) } }
                .filter { payment, at in
                    (query.merchantID ?? payment.merchantID) == payment.merchantID
                        && query.after.map { (at, payment.id) < ($0.at, $0.id) } ?? true
                }
                .sorted { ($0.at, $0.0.id) > ($1.at, $1.0.id) }
            let page = found.prefix(query.limit)
            var orphans: [PaymentID: PossibleOrphan] = [:]
            if query.filter.isPossibleOrphans {
                for (payment, _) in page { orphans[payment.id] = tables.orphans[payment.id]?.grade }
            }
            return PaymentPage(
                payments: page.map(\.0),
                next: found.count > page.count ? page.last.map { PageCursor(at: $0.at, id: $0.0.id) } : nil,
                orphans: orphans
            )
        }
    }
}

extension StoreTables {
    /// Its time in the list; `nil` where it is not in it.
    fileprivate func place(of payment: Payment, in query: PaymentQuery) -> Timestamp? {
        let filter = query.filter
        guard filter.matches(payment) else { return nil }
        if let key = filter.idempotencyKey {
            let hasKey = operations(of: payment.id).contains {
                $0.idempotencyKey == key && (query.merchantID ?? $0.merchantID) == $0.merchantID
            }
            guard hasKey else { return nil }
        }
        if let id = filter.bankID, owner(ofBankID: id) != payment.id { return nil }
        if let id = filter.messageID, !isKnown(id, of: payment.id) { return nil }
        return filter.isPossibleOrphans ? orphans[payment.id]?.at : payment.createdAt
    }

    private func isKnown(_ messageID: String, of payment: PaymentID) -> Bool {
        waiting.line(of: payment).contains { $0.messageID.utf8.elementsEqual(messageID.utf8) }
            || deadLetters.contains(messageID, of: payment)
            || operations(of: payment).contains { messages[$0.id]?.utf8.elementsEqual(messageID.utf8) ?? false }
    }
}

extension InMemoryPaymentStore: ResolutionStore {
    package func takeForResolution(
        _ seen: Operation,
        by token: ClaimToken,
        lease: Duration
    ) async throws(StoreError) -> Claim? {
        let clock = clock
        return try await transaction(.claim) { tables throws(StoreError) in
            let now = clock.now()
            guard let stored = tables.operations[seen.id], let payment = tables.payments[stored.paymentID],
                let taken = stored.takenForResolution(as: seen, by: token, lease: lease, now: now)
            else { return nil }
            try tables.apply(StoreTables.Changes(operation: taken, payment: nil, transition: nil), at: now)
            // Where nobody completes it, the sweep finds it soon after the lease.
            if let due = tables.sweeps.open[taken.id]?.at {
                tables.sweeps.open[taken.id]?.at = min(due, taken.leaseUntil)
            }
            return Claim(operation: taken, payment: payment)
        }
    }

    package func owner(ofBankID id: String) async throws(StoreError) -> PaymentID? {
        try await read { tables in tables.owner(ofBankID: id) }
    }
}

extension InMemoryPaymentStore: MemberStore {
    package func renewMember(
        _ id: String,
        version: String,
        subscribed: Set<Int>,
        timeout: Duration
    ) async throws(StoreError) -> [Member] {
        let now = clock.now()
        return try await transaction(.sweep) { tables throws(StoreError) in
            let start = tables.members[id]?.startedAt ?? now
            tables.members[id] = Member(
                id: id,
                version: version,
                startedAt: start,
                lastSeen: now,
                subscribed: subscribed
            )
            tables.members = tables.members.filter { $0.value.isThere(at: now, timeout) }
            return tables.members.values.sorted { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }
        }
    }

    /// All that are there now, for whoever judges.
    var currentMembers: [Member] {
        let now = clock.now()
        return rowsOfMembers.filter { $0.isThere(at: now, Member.timeout) }
    }

    package func removeMember(_ id: String) async throws(StoreError) {
        try await transaction(.sweep) { tables throws(StoreError) in tables.members[id] = nil }
    }

    package func members(timeout: Duration) async throws(StoreError) -> [Member] {
        let now = clock.now()
        return try await read { tables in
            tables.members.values.filter { $0.isThere(at: now, timeout) }
                .sorted { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }
        }
    }
}

extension Member {
    /// A sign that is to come was given before the clock was set back.
    fileprivate func isThere(at now: Timestamp, _ timeout: Duration) -> Bool {
        let age = lastSeen.duration(to: now)
        return age < timeout && age > .zero - timeout
    }
}
