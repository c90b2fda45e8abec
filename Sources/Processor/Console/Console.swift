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
