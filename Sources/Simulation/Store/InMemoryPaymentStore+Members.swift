package import Core

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
