/// What one client may take of the admin server (docs/contract.md#admin-api).
struct AdminLimits: Sendable {
    /// For the header of a request, and between two requests of one connection.
    var header = Duration.seconds(10)
    /// For the body, after its header: 30 s in all.
    var body = Duration.seconds(20)
    /// What is more waits until another one is closed.
    var connections = 256
    /// Bytes of all header fields together.
    var largestHeader = 16 << 10
    /// Bytes.
    var largestBody = 1 << 20
}
