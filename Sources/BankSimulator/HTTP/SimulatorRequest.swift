import NIOCore
import NIOHTTP1

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

/// Where a request goes.
enum Route: Equatable, Sendable {
    /// A POST of the bank's API; never `get`.
    case command(BankOperation)
    /// A GET of the bank's API.
    case query(BankQuery)
    case health
    /// What the simulator has beyond the bank (docs/bank.md#the-bank-simulator).
    case control(ControlEndpoint)
    case unknown

    /// The control endpoints, which no fault reaches.
    enum ControlEndpoint: Equatable, Sendable {
        case addFault
        case listFaults
        case deleteFaults
        case moveClock
        case ledger
        case requests
    }

    /// The route of a method and a path, the latter without its query.
    init(method: String, path: String) {
        switch (method, path) {
        case ("POST", "/api/v1/authorizations"): self = .command(.authorize)
        case ("POST", "/api/v1/captures"): self = .command(.capture)
        case ("POST", "/api/v1/voids"): self = .command(.void)
        case ("POST", "/api/v1/refunds"): self = .command(.refund)
        case ("GET", "/health"): self = .health
        case ("POST", "/faults"): self = .control(.addFault)
        case ("GET", "/faults"): self = .control(.listFaults)
        case ("DELETE", "/faults"): self = .control(.deleteFaults)
        case ("POST", "/clock"): self = .control(.moveClock)
        case ("GET", "/ledger"): self = .control(.ledger)
        case ("GET", "/requests"): self = .control(.requests)
        case ("GET", _): self = Self.query(path: path)
        default: self = .unknown
        }
    }

    private static func query(path: String) -> Route {
        func identifier(_ folder: String, _ kind: EffectID.Kind) -> EffectID?? {
            guard path.hasPrefix(folder) else { return nil }
            let name = String(path.dropFirst(folder.count))
            return name.isEmpty || name.contains("/") ? nil : .some(EffectID(name, kind))
        }
        if let id = identifier("/api/v1/authorizations/", .authorization) { return .query(.authorization(id)) }
        if let id = identifier("/api/v1/captures/", .capture) { return .query(.capture(id)) }
        if let id = identifier("/api/v1/refunds/", .refund) { return .query(.refund(id)) }
        return .unknown
    }
}

/// What a connection brought.
struct Arrival: Sendable {
    /// nil for a request whose body is too large.
    let request: SimulatorRequest?
    /// The client wants to send more requests after this one.
    let isKeptAlive: Bool
}

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
