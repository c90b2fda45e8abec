import HTTPTypes

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
