/// A message that is arriving: its method first, then the properties, then the body in pieces.
struct IncomingContent {
    struct Delivered {
        let consumerTag: String
        let tag: UInt64
        let redelivered: Bool
        let exchange: String
        let routingKey: String
    }

    struct Returned {
        let replyCode: UInt16
        let replyText: String
        let exchange: String
        let routingKey: String
    }

    enum Method {
        case delivered(Delivered)
        case returned(Returned)
    }

    enum Piece {
        case properties(AMQPProperties, bodySize: UInt64)
        case body(UnsafeRawBufferPointer)
    }

    /// Not all of it is believed before it has come.
    private static let maximumReserve: UInt64 = 16 << 20

    let method: Method
    private(set) var message = AMQPMessage()
    /// Bytes of the body that are to come; nil before the properties.
    private var missing: UInt64?

    init(_ method: Method) {
        self.method = method
    }

    var isComplete: Bool { missing == 0 }

    /// - Returns: false when the piece does not belong here.
    mutating func add(_ piece: Piece) -> Bool {
        switch (piece, missing) {
        case (.properties(let properties, let bodySize), nil):
            message.properties = properties
            missing = bodySize
        case (.body(let bytes), let missing?) where missing >= UInt64(bytes.count):
            if missing == UInt64(bytes.count), message.body.isEmpty {
                message.body = Array(bytes)
            } else {
                if message.body.isEmpty { message.body.reserveCapacity(Int(min(missing, Self.maximumReserve))) }
                message.body.append(contentsOf: bytes)
            }
            self.missing = missing - UInt64(bytes.count)
        default: return false
        }
        return true
    }
}
