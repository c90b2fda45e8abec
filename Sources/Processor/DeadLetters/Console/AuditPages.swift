import Core
import Hummingbird

/// Who did what with dead letters.
struct AuditPages: Sendable {
    let console: Console

    static let pageSize = 100

    func add(to router: Router<AdminContext>) {
        console.get("console/audit", on: router) { visit, _ in
            let cursor = visit.fields["cursor"]
            let place = try AuditPlace.checked(cursor)
            let lines = try await console.parts.reading.audit(before: place, limit: Self.pageSize + 1)
            return .page(
                ConsolePage(
                    title: "Audit",
                    section: .audit,
                    template: "audit",
                    content: AuditContent(
                        Array(lines.prefix(Self.pageSize)),
                        isCut: lines.count > Self.pageSize,
                        cursor: cursor,
                        now: console.parts.time.now()
                    )
                )
            )
        }
    }
}

struct AuditContent: Sendable {
    let hasRows: Bool
    let rows: [Row]
    let next: String?
    let command: CommandText

    struct Row: Sendable {
        let at: TimeText
        let who: String
        let action: String
        let result: String
        let reason: String
        let code: String
        let id: String
        let payment: String?
    }

    init(_ lines: [AuditLine], isCut: Bool, cursor: String?, now: Timestamp) {
        command = CommandText(
            ["dead-letters", "audit", "--limit", "\(AuditPages.pageSize)"] + CommandText.option("--cursor", cursor)
        )
        hasRows = !lines.isEmpty
        rows = lines.map { line in
            Row(
                at: TimeText(line.entry.at, now: now),
                who: line.entry.actor,
                action: line.entry.action,
                result: line.entry.result,
                reason: line.entry.reason ?? "",
                code: line.code,
                id: line.deadLetter.description,
                payment: line.payment?.description
            )
        }
        next =
            isCut
            ? lines.last.map { ConsolePath.link(ConsoleSection.audit.path, [("cursor", $0.place.description)]) } : nil
    }
}
