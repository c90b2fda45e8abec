import Core
import HTTPTypes
import Synchronization

/// A person's visit, from signing in until signing out.
struct ConsoleSession: Hashable, Sendable {
    /// The value of its cookie.
    let id: String
    /// Who acts, in the audit: the name of the token.
    let name: String
    let role: AdminRole
    /// In every form of it: a page of somebody else's cannot know it.
    let formToken: String

    var canAct: Bool { role == .operate }
}

/// A sentence for the next page that the person sees.
struct ConsoleNotice: Hashable, Sendable {
    enum Kind: String, Sendable {
        case notice, hold, problem
    }

    let kind: Kind
    let text: String
}

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

/// The console's cookies: never readable by a script, never sent along from another site.
enum ConsoleCookie: String {
    case session = "console-session"
    /// Of the form to sign in, which has no session yet.
    case signIn = "console-sign-in"

    func value(in headers: HTTPFields) -> String? {
        for header in headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let parts = pair.trimmingPrefix(" ").split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0] == rawValue { return String(parts[1]) }
            }
        }
        return nil
    }

    /// - Parameters:
    ///   - value: `nil` takes it away.
    ///   - isSecure: whether the page came over TLS, so that the cookie goes nowhere without it.
    func header(_ value: String?, isSecure: Bool) -> String {
        "\(rawValue)=\(value ?? ""); Path=\(ConsolePath.root); HttpOnly; SameSite=Strict"
            + (isSecure ? "; Secure" : "") + (value == nil ? "; Max-Age=0" : "")
    }
}

/// What only a browser that was given it knows: 256 random bits.
enum ConsoleSecret {
    static func make(_ random: any RandomSource = SystemRandom()) -> String {
        (0..<4).map { _ in
            let digits = String(random.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        .joined()
    }

    /// In a time that does not depend on how much of it is right.
    static func matches(_ sent: String?, _ expected: String) -> Bool {
        guard let sent, sent.utf8.count == expected.utf8.count, !expected.isEmpty else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(sent.utf8, expected.utf8) { difference |= left ^ right }
        return difference == 0
    }
}
