/// What a request is in for, drawn when it arrives.
struct Admission: Equatable, Sendable {
    /// Its number among the requests to the bank's API; nil for what is not noted.
    var sequence: Int?
    /// The stored answer under its key.
    var replay: BankAnswer?
    var plan = FaultPlan()
    /// The bank's own latency, in nanoseconds.
    var latency: Int64 = 0
    /// The bank's own injected 500.
    var fails = false
}
