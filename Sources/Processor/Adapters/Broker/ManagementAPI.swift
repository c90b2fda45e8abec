import AMQP
import Core
import HTTPClient

/// The broker's management API, for what AMQP does not tell: policies and bindings.
struct ManagementAPI: Sendable {
    private let client: HTTPClient
    private let base: String
    private let authorization: HTTPHeader
    private let virtualHost: String

    private static let timeout = Duration.seconds(10)

    /// - Throws: `HTTPError` where the process is out of threads or descriptors.
    init(_ address: ManagementAddress, broker: AMQPConfiguration) throws(HTTPError) {
        client = try HTTPClient(
            configuration: HTTPClientConfiguration(
                maxConnections: 1,
                maxResponseBytes: 16 << 20,
                caFile: broker.caFile,
                userAgent: "payment-processor"
            )
        )
        base = address.address.base
        let credentials = address.credentials?.bytes ?? Array("\(broker.user):\(broker.password)".utf8)
        authorization = HTTPHeader("Authorization", "Basic \(Base64.encoded(credentials))")
        virtualHost = Self.encoded(broker.virtualHost)
    }

    /// The definitions of the policies in force, by the name of their queue.
    func policies() async throws(ManagementError) -> [String: JSONValue] {
        let queues = try await get("/api/queues/\(virtualHost)?columns=name,effective_policy_definition")
        var policies: [String: JSONValue] = [:]
        for queue in queues {
            guard let name = queue["name"]?.string, let policy = queue["effective_policy_definition"] else { continue }
            policies[name] = policy
        }
        return policies
    }

    /// Where the quorum queues are.
    func placements() async throws(ManagementError) -> [QueuePlacement] {
        try await get("/api/queues/\(virtualHost)?columns=name,leader,members").compactMap { queue in
            guard let name = queue["name"]?.string, case .array(let members)? = queue["members"] else { return nil }
            return QueuePlacement(queue: name, leader: queue["leader"]?.string, members: members.compactMap(\.string))
        }
    }

    /// Which queues an exchange is bound to, with their keys.
    func bindings(of exchange: String) async throws(ManagementError) -> Set<BoundQueue> {
        let bindings = try await get("/api/exchanges/\(virtualHost)/\(Self.encoded(exchange))/bindings/source")
        return Set(
            bindings.compactMap { binding in
                guard let queue = binding["destination"]?.string, let key = binding["routing_key"]?.string else {
                    return nil
                }
                return BoundQueue(queue: queue, key: key)
            }
        )
    }

    func close() async { await client.shutdown() }

    private func get(_ path: String) async throws(ManagementError) -> [JSONValue] {
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await client.send(
                HTTPRequest(method: .get, url: base + path, headers: [authorization], timeout: Self.timeout)
            )
        } catch {
            throw ManagementError(description: error.description)
        }
        guard response.status == 200 else { throw ManagementError(description: "status \(response.status)") }
        guard case .array(let elements)? = try? JSONParser.parse(response.body) else {
            throw ManagementError(description: "an answer that cannot be read")
        }
        return elements
    }

    /// For a path.
    private static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return encoded
    }
}

/// A queue as an exchange is bound to it.
struct BoundQueue: Hashable, Sendable {
    let queue: String
    let key: String
}

/// The nodes that a quorum queue is on.
struct QueuePlacement: Hashable, Sendable {
    let queue: String
    /// `nil` where none is elected.
    let leader: String?
    let members: [String]
}

/// Why the management API does not tell.
struct ManagementError: Error, CustomStringConvertible {
    let description: String
}

/// Base64 with padding (RFC 4648 §4), as HTTP's basic authentication has it.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encoded(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0 as UInt32) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for position in 0...group.count { text.append(alphabet[Int(bits >> (18 - 6 * UInt32(position)) & 0x3f)]) }
            for _ in group.count..<3 { text.append(UInt8(ascii: "=")) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
