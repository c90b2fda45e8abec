/// A request as the simulator sees it, free of any server library.
struct SimulatorRequest: Sendable {
    var method: String
    /// Without the query.
    var path: String
    /// The text after the question mark.
    var query: String?
    var idempotencyKey: String?
    var body: [UInt8] = []
}
