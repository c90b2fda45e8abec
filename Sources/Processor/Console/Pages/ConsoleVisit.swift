import Hummingbird

/// A request to the console, of somebody who is signed in.
struct ConsoleVisit: Sendable {
    let session: ConsoleSession
    /// Of the query of a GET, or the body of a POST.
    let fields: FormFields
    /// As sent, with its query.
    let uri: String
}
