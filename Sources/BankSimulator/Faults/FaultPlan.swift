/// What the faults do to one request.
struct FaultPlan: Equatable, Sendable {
    /// How the request ends instead of normally; never a modifier.
    var ending: Fault?
    /// The wait in front, in milliseconds.
    var latency: Int64 = 0
    var losesKey = false
    /// The names of all that hit it, separated by commas; nil for none.
    var name: String?
}
