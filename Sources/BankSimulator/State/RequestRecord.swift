/// One request to the bank's API, as `GET /requests` reports it.
struct RequestRecord: Equatable, Sendable {
    let sequence: Int
    let path: String
    let idempotencyKey: String?
    /// The faults that hit it, nil for none.
    var fault: String?
    /// It was answered from the stored keys.
    var isReplay = false
    /// nil while there is no answer: still executing, held, or never to come.
    var status: Int?
}
