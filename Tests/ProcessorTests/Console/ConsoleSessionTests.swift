import HTTPTypes
import Synchronization
import Testing

@testable import Processor

@Suite("Sessions of the console", .timeLimit(.minutes(1)))
struct ConsoleSessionTests {
    /// A clock that a test turns.
    private final class Clock: Sendable {
        private let start = ContinuousClock.now
        private let passed = Mutex(Duration.zero)

        var now: ContinuousClock.Instant { passed.withLock { start + $0 } }
        func pass(_ duration: Duration) { passed.withLock { $0 += duration } }
    }

    private let clock = Clock()

    private func sessions(count: Int = 1_000) -> ConsoleSessions {
        ConsoleSessions(limits: ConsoleSessions.Limits(count: count), now: { [clock] in clock.now })
    }

    @Test("a session is known by its id, and by nothing else")
    func known() {
        let sessions = sessions()
        let session = sessions.begin("ada", .operate)
        #expect(session.id.count == 64)
        #expect(session.id != session.formToken)
        #expect(sessions.session(session.id) == session)
        #expect(sessions.session(session.formToken) == nil)
        #expect(sessions.session(nil) == nil)
        #expect(sessions.begin("ada", .operate).id != session.id)
        sessions.end(session.id)
        #expect(sessions.session(session.id) == nil)
    }

    @Test("it ends after thirty idle minutes; what a page asks for by itself is no use of it")
    func idle() {
        let sessions = sessions()
        let session = sessions.begin("ada", .operate)
        clock.pass(.seconds(29 * 60))
        #expect(sessions.session(session.id) != nil)
        clock.pass(.seconds(29 * 60))
        #expect(sessions.session(session.id, isUse: false) != nil)
        clock.pass(.seconds(2 * 60))
        #expect(sessions.session(session.id, isUse: false) == nil)
        #expect(sessions.count == 0)
    }

    @Test("it ends after twelve hours, however much it is used")
    func life() {
        let sessions = sessions()
        let session = sessions.begin("ada", .operate)
        for _ in 0..<(12 * 3 - 1) {
            clock.pass(.seconds(20 * 60))
            #expect(sessions.session(session.id) != nil)
        }
        clock.pass(.seconds(20 * 60))
        #expect(sessions.session(session.id) == nil)
    }

    @Test("there are so many at most: the one that was idle for the longest time goes")
    func bounded() {
        let sessions = sessions(count: 3)
        let all = (0..<3).map { _ in
            clock.pass(.seconds(1))
            return sessions.begin("ada", .operate)
        }
        _ = sessions.session(all[0].id)
        clock.pass(.seconds(1))
        let newest = sessions.begin("rob", .read)
        #expect(sessions.count == 3)
        #expect(sessions.session(all[1].id) == nil)
        #expect(sessions.session(all[0].id) != nil)
        #expect(sessions.session(newest.id) == newest)
    }

    @Test("a notice is shown once")
    func notice() {
        let sessions = sessions()
        let session = sessions.begin("ada", .operate)
        let notice = ConsoleNotice(kind: .notice, text: "done")
        sessions.leave(notice, for: session)
        #expect(sessions.takeNotice(of: session) == notice)
        #expect(sessions.takeNotice(of: session) == nil)
    }

    @Test(
        "secrets are compared whole",
        arguments: [
            ("abc", "abc", true), ("abd", "abc", false), ("ab", "abc", false), ("", "", false), (nil, "abc", false),
        ] as [(String?, String, Bool)]
    )
    func secrets(sent: String?, expected: String, isSame: Bool) {
        #expect(ConsoleSecret.matches(sent, expected) == isSame)
    }

    @Test("a cookie is read among others, and cannot be read by scripts or sent by other sites")
    func cookie() {
        #expect(ConsoleCookie.session.value(in: [.cookie: "a=1; console-session=xyz; b=2"]) == "xyz")
        #expect(ConsoleCookie.session.value(in: [.cookie: "other-console-session=xyz"]) == nil)
        let header = ConsoleCookie.session.header("xyz", isSecure: true)
        #expect(header == "console-session=xyz; Path=/console; HttpOnly; SameSite=Strict; Secure")
        #expect(!ConsoleCookie.session.header("xyz", isSecure: false).contains("Secure"))
    }
}
