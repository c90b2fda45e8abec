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
