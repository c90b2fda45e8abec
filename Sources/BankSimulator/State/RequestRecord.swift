/// One request to the bank's API, as `GET /requests` reports it.
struct RequestRecord: Equatable, Sendable {
    let sequence: Int
    let path: String
    let idempotencyKey: String?
    /// What went wrong with it, nil for nothing: the faults that hit it, `failure-rate` for a failure of the bank's own,
    /// and last `hung-up` where the caller hung up before its answer left.
    var fault: String?
    /// It was answered from the stored keys.
    var isReplay = false
    /// nil while there is no answer: still executing, held, cut, or given up.
    var status: Int?
}
