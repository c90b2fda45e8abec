import Hummingbird
import NIOCore

/// A request's context that knows who is at the other end.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// An IP address; `nil` where the connection is none of the internet family.
    let peer: String?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress?.ipAddress
    }
}
