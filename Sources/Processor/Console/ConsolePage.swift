import Core
import HTTPTypes
import Hummingbird

/// A page before it is put together.
struct ConsolePage: Sendable {
    let title: String
    /// Under which heading of the navigation it is.
    let section: ConsoleSection?
    let template: String
    /// What the template names.
    let content: any Sendable
    var status = HTTPResponse.Status.ok
}

/// What a request of a person comes to.
enum ConsoleAnswer: Sendable {
    case page(ConsolePage)
    /// Go there and look, after an action: reloading that page repeats nothing.
    case seeOther(String)
    case stream(ConsoleStream)
}

/// What a heading of the navigation has beside it.
struct ConsoleBadge: Hashable, Sendable {
    /// How many things somebody has to see to, now or should they last.
    let count: Int
    /// Whether an alarm about them is due; only then it is red.
    let isDue: Bool
}

/// The headings of the navigation.
enum ConsoleSection: String, CaseIterable, Sendable {
    case overview = "Overview"
    case payments = "Payments"
    case review = "Review"
    case deadLetters = "Dead letters"
    case sweeps = "Sweeps"
    case audit = "Audit"

    var path: String {
        switch self {
        case .overview: ConsolePath.root
        case .payments: "/console/payments"
        case .review: "/console/review"
        case .deadLetters: "/console/dead-letters"
        case .sweeps: "/console/sweeps"
        case .audit: "/console/audit"
        }
    }
}

/// Why a page is not shown, for its reader.
struct ConsoleFailure: Error, Hashable {
    let status: HTTPResponse.Status
    let title: String
    let text: String

    init(_ status: HTTPResponse.Status, _ title: String, _ text: String) {
        self.status = status
        self.title = title
        self.text = text
    }

    init(_ error: AdminError) {
        self.init(error.status, error.status.reasonPhrase, error.message)
    }

    static func notFound(_ what: String) -> ConsoleFailure {
        ConsoleFailure(.notFound, "Not found", "There is no such \(what).")
    }

    static func invalid(_ problem: InvalidField) -> ConsoleFailure {
        ConsoleFailure(.badRequest, "That cannot be read", problem.description)
    }

    static let readOnly = ConsoleFailure(
        .forbidden,
        "Not allowed",
        "Your token is one to look with: to act, one with the role operate is needed."
    )
    static let otherForm = ConsoleFailure(
        .forbidden,
        "Not taken",
        "The form is not one of this visit. Go back, reload the page and try again."
    )
}

/// A request to the console, of somebody who is signed in.
struct ConsoleVisit: Sendable {
    let session: ConsoleSession
    /// Of the query of a GET, or the body of a POST.
    let fields: FormFields
    /// As sent, with its query.
    let uri: String
}

/// What a form has sent, by post or behind the question mark: as forms write it, `+` is a space.
struct FormFields: Sendable {
    private let values: [String: [String]]

    /// - Returns: `nil` where it is no percent-encoded UTF-8.
    init?(_ encoded: some StringProtocol) {
        var values: [String: [String]] = [:]
        for pair in encoded.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = QueryParameters.decoded(Substring(parts[0])),
                let value = QueryParameters.decoded(Substring(parts.count == 2 ? parts[1] : ""))
            else { return nil }
            values[name, default: []].append(value)
        }
        self.values = values
    }

    static let none = FormFields([:])

    private init(_ values: [String: [String]]) { self.values = values }

    /// Without the blanks around it, which a paste brings along; `nil` where nothing was entered, or more than once.
    subscript(name: String) -> String? {
        guard let all = values[name], all.count == 1 else { return nil }
        let text = all[0].trimmingBlanks
        return text.isEmpty ? nil : text
    }

    func all(_ name: String) -> [String] { values[name] ?? [] }
}

extension String {
    var trimmingBlanks: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
