import NIOCore
import NIOHTTP1

/// Puts the parts of a request together, at the end of a connection's pipeline.
final class ArrivalHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    /// The longest body that is read, in bytes.
    static let maximumBodySize = 1 << 20

    private let arrivals: AsyncStream<Arrival>.Continuation
    private let hangUp: AsyncStream<Never>.Continuation
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLarge = false

    /// - Parameters:
    ///   - arrivals: gets the requests.
    ///   - hangUp: ends when the client is gone.
    init(_ arrivals: AsyncStream<Arrival>.Continuation, hangUp: AsyncStream<Never>.Continuation) {
        self.arrivals = arrivals
        self.hangUp = hangUp
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
            isTooLarge = false
        case .body(let part):
            if body.count + part.readableBytes > Self.maximumBodySize { isTooLarge = true }
            if !isTooLarge { body.append(contentsOf: part.readableBytesView) }
        case .end:
            guard let head else { return }
            let request = isTooLarge ? nil : SimulatorRequest(head, body: body)
            arrivals.yield(Arrival(request: request, isKeptAlive: head.isKeepAlive))
            self.head = nil
            body = []
        }
    }

    /// The client will send no more, which is all that can be seen of one that has closed the connection. It comes in the
    /// middle of a request too; only behind requests that were sent ahead the pipeline holds it back until their turn.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            finish()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// The client reset the connection, or it was closed on this side.
    func channelInactive(context: ChannelHandlerContext) {
        finish()
    }

    private func finish() {
        arrivals.finish()
        hangUp.finish()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

extension SimulatorRequest {
    fileprivate init(_ head: HTTPRequestHead, body: [UInt8]) {
        let mark = head.uri.utf8.firstIndex(of: UInt8(ascii: "?"))
        let key = head.headers.first(name: "Idempotency-Key")
        self.init(
            method: head.method.rawValue,
            path: mark.map { String(head.uri[..<$0]) } ?? head.uri,
            query: mark.map { String(head.uri[$0...].dropFirst()) },
            idempotencyKey: key.flatMap { $0.isEmpty ? nil : $0 },
            body: body
        )
    }
}
