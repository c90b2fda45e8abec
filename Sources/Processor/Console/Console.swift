import Core
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Pages for people, beside the admin API for programs (docs/console.md).
struct Console: Sendable {
    let parts: ConsoleParts
    let access: AdminAccess
    let renderer: ConsoleRenderer
    let sessions: ConsoleSessions
    /// What was started from a page and runs on without it.
    let work: ConsoleWork
    let overview: OverviewSource
    let guides: Guides
    private let streams = StreamPlaces()
    /// Whether the admin server speaks TLS itself.
    let isSecure: Bool

    /// - Throws: where a page of the binary cannot be read.
    init(
        _ parts: ConsoleParts,
        access: AdminAccess,
        isSecure: Bool = false,
        sessions: ConsoleSessions = ConsoleSessions()
    ) throws {
        self.parts = parts
        self.access = access
        self.isSecure = isSecure
        self.sessions = sessions
        renderer = try ConsoleRenderer()
        work = ConsoleWork(time: parts.time, random: SystemRandom())
        overview = OverviewSource(parts)
        guides = Guides()
    }

    func add(to router: Router<AdminContext>) {
        AssetRoutes().add(to: router)
        SignInRoutes(console: self).add(to: router)
        OverviewRoutes(console: self).add(to: router)
        PaymentPages(console: self).add(to: router)
        ResolutionPages(console: self).add(to: router)
        ReviewPages(console: self).add(to: router)
        DeadLetterPages(console: self).add(to: router)
        DeadLetterActionPages(console: self).add(to: router)
        ReplayPages(console: self).add(to: router)
        SweepPages(console: self).add(to: router)
        WorkPages(console: self).add(to: router)
        AuditPages(console: self).add(to: router)
        GuidePages(console: self).add(to: router)
        ContractPages(console: self).add(to: router)
    }

    // MARK: Routes

    /// A page for whoever is signed in.
    func get(
        _ path: RouterPath,
        on router: Router<AdminContext>,
        _ answer: @escaping @Sendable (ConsoleVisit, Parameters) async throws -> ConsoleAnswer
    ) {
        router.get(path) { _, context in try await respond(context, answer) }
    }

    /// An action: only of who may act, from a form of theirs. That is checked before it gets here.
    func post(
        _ path: RouterPath,
        on router: Router<AdminContext>,
        _ answer: @escaping @Sendable (ConsoleVisit, Parameters) async throws -> ConsoleAnswer
    ) {
        router.post(path) { _, context in try await respond(context, answer) }
    }

    private func respond(
        _ context: AdminContext,
        _ answer: @Sendable (ConsoleVisit, Parameters) async throws -> ConsoleAnswer
    ) async throws -> Response {
        guard let visit = context.visit else { throw AdminError.unauthorized }
        switch try await answer(visit, context.parameters) {
        case .page(let page):
            return await response(page, visit.session)
        case .seeOther(let path):
            return Self.redirect(to: path)
        case .stream(let stream):
            guard let place = streams.enter() else {
                throw ConsoleFailure(
                    .serviceUnavailable,
                    "Too many pages",
                    "Too many pages are kept up to date already."
                )
            }
            let session = visit.session.id
            return stream.response(place) { sessions.session(session, isUse: false) != nil }
        }
    }

    /// - Parameter session: `nil` where nobody is signed in.
    func response(_ page: ConsolePage, _ session: ConsoleSession?) async -> Response {
        let frame = ConsoleRenderer.Frame(
            session: session,
            canSignOut: access.hasToken,
            notice: session.flatMap(sessions.takeNotice(of:)),
            badges: session == nil ? [:] : await overview.badges()
        )
        let html = renderer.html(page, frame)
        return Response(status: page.status, type: "text/html; charset=utf-8", bytes: Array(html.utf8))
    }

    static func redirect(to path: String) -> Response {
        Response(status: .seeOther, headers: [.location: path])
    }
}

/// What the console shows and acts by: the same use cases as the admin API and the command line have.
struct ConsoleParts: Sendable {
    let queries: any PaymentQueries
    let deadLetters: DeadLetterService
    let resolver: OperationResolver
    let reading: any ConsoleQueries
    let members: any MemberStore
    let minutes: any CommandMinutes
    let bank: any BankQueries
    let bankStatus: any BankStatusStore
    let sweeps: SweepControl
    let readiness: Readiness
    let metrics: ProcessorMetrics
    let names: BrokerNames
    let partitions: Int
    /// Of this processor among the members.
    let identity: String
    let bankTimeout: Duration
    var time: any TimeSource = SystemTime()
    /// Since when what is wrong has been so.
    let alarms = AlarmMemory()
}

/// Where the console's pages are (docs/console.md#addresses).
enum ConsolePath {
    static let root = "/console"
    static let signIn = "/console/sign-in"
    static let signOut = "/console/sign-out"
    private static let assets = "/console/assets/"

    /// Whether a path as sent is one of the console's: the admin API's rules for programs are not for it.
    static func owns(_ path: String) -> Bool { path == root || path.hasPrefix("\(root)/") }

    /// Shown to whoever may connect, signed in or not: nothing of it tells about payments.
    static func isOpen(_ path: String) -> Bool { path == signIn || path.hasPrefix(assets) }

    /// What programs of the page ask for: no page to sign in at is an answer to them.
    static func isStream(_ path: String) -> Bool { path.hasSuffix("/events") }

    /// Where a person may be sent after signing in: a page of the console, and nowhere else.
    static func destination(_ asked: String?) -> String {
        guard let asked, !asked.contains("\\"), asked.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 32 }),
            owns(String(asked.prefix { $0 != "?" && $0 != "#" })), asked != signOut, !asked.hasPrefix(signIn)
        else { return root }
        return asked
    }

    /// A path with what goes behind the question mark; what is `nil` or empty is left out.
    static func link(_ path: String, _ parameters: [(String, String?)]) -> String {
        let pairs = parameters.compactMap { name, value -> String? in
            guard let value, !value.isEmpty else { return nil }
            return "\(encoded(name))=\(encoded(value))"
        }
        return pairs.isEmpty ? path : "\(path)?\(pairs.joined(separator: "&"))"
    }

    static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += byte < 16 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
