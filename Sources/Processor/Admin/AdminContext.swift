import Hummingbird
import NIOCore

/// A request's context that knows who is at the other end.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// An IP address; `nil` where the connection is none of the internet family.
    let peer: String?
    /// Whose token the request has.
    var actor: String?
    /// Of a person who uses the console.
    var visit: ConsoleVisit?
    /// What came with a request to a page of the console that is there for everybody.
    var form = FormFields.none
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress?.ipAddress
        channel = source.channel
    }

    /// Does what reads from the client; the connection is closed where that takes longer than `limit`: what is sent a byte at a
    /// time must not hold it forever.
    func reading<Value>(within limit: Duration, _ work: () async throws -> Value) async throws -> Value {
        let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { [channel] in
            channel.close(promise: nil)
        }
        defer { deadline.cancel() }
        return try await work()
    }
}
