import Core
import Synchronization

/// Who is signed in: in memory, so a processor that starts anew asks for the token again.
final class ConsoleSessions: Sendable {
    struct Limits: Sendable {
        /// One more ends the one that was idle for the longest time.
        var count = 1_000
        var idle = Duration.seconds(30 * 60)
        var life = Duration.seconds(12 * 60 * 60)
    }

    private struct Entry {
        let session: ConsoleSession
        let startedAt: ContinuousClock.Instant
        var lastSeen: ContinuousClock.Instant
        var notice: ConsoleNotice?
    }

    private let limits: Limits
    private let now: @Sendable () -> ContinuousClock.Instant
    private let entries = Mutex<[String: Entry]>([:])

    init(limits: Limits = Limits(), now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.limits = limits
        self.now = now
    }

    var count: Int { entries.withLock { $0.count } }

    func begin(_ name: String, _ role: AdminRole) -> ConsoleSession {
        let now = now()
        let session = ConsoleSession(
            id: ConsoleSecret.make(),
            name: name,
            role: role,
            formToken: ConsoleSecret.make()
        )
        entries.withLock { entries in
            if entries.count >= limits.count { entries = entries.filter { isAlive($0.value, now) } }
            if entries.count >= limits.count,
                let idlest = entries.min(by: { $0.value.lastSeen < $1.value.lastSeen })
            {
                entries[idlest.key] = nil
            }
            entries[session.id] = Entry(session: session, startedAt: now, lastSeen: now)
        }
        return session
    }

    /// - Parameter isUse: whether the person has done something; what a page asks for by itself keeps nobody signed in.
    func session(_ id: String?, isUse: Bool = true) -> ConsoleSession? {
        guard let id else { return nil }
        let now = now()
        return entries.withLock { entries in
            guard let entry = entries[id] else { return nil }
            guard isAlive(entry, now) else {
                entries[id] = nil
                return nil
            }
            if isUse { entries[id]?.lastSeen = now }
            return entry.session
        }
    }

    func end(_ id: String) { entries.withLock { $0[id] = nil } }

    /// Shown once, on the next page.
    func leave(_ notice: ConsoleNotice, for session: ConsoleSession) {
        entries.withLock { $0[session.id]?.notice = notice }
    }

    func takeNotice(of session: ConsoleSession) -> ConsoleNotice? {
        entries.withLock { entries in
            let notice = entries[session.id]?.notice
            if notice != nil { entries[session.id]?.notice = nil }
            return notice
        }
    }

    private func isAlive(_ entry: Entry, _ now: ContinuousClock.Instant) -> Bool {
        now - entry.lastSeen < limits.idle && now - entry.startedAt < limits.life
    }
}
