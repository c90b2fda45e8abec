import AMQP
import BrokerMapping
import Core
import Foundation
import Glibc
import HTTPClient

/// What went over the wire in these tests, a line of JSON each, where `CONTRACT_LOG` names a file: scripts/check-contract compares
/// it with docs/asyncapi.yaml and docs/openapi.yaml.
struct ContractLog: Sendable {
    static let shared = ContractLog(path: getenv("CONTRACT_LOG").map { String(cString: $0) })

    private let descriptor: Int32?

    private init(path: String?) {
        descriptor = path.flatMap { $0.isEmpty ? nil : open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
        precondition(descriptor != -1, "the file of CONTRACT_LOG cannot be written")
    }

    func sent(_ message: AMQPMessage, to exchange: String) {
        write { Self.members(message, ["kind": .string("sent"), "exchange": .string(exchange)]) }
    }

    func received(_ message: AMQPMessage, from queue: String) {
        write { Self.members(message, ["kind": .string("received"), "queue": .string(queue)]) }
    }

    func answered(_ method: HTTPMethod, _ target: String, _ request: String?, _ response: HTTPResponse) {
        write {
            [
                "kind": .string("http"), "method": .string(method.rawValue), "target": .string(target),
                "request": Self.base64(Array((request ?? "").utf8)), "status": .integer(response.status),
                "content_type": .string(response.headers["content-type"] ?? ""), "answer": Self.base64(response.body),
            ]
        }
    }

    /// One call each, so that lines of several tasks do not mix.
    private func write(_ members: () -> [String: JSONValue]) {
        guard let descriptor else { return }
        let line = JSONValue.object(members()).encoded + [UInt8(ascii: "\n")]
        let count = Glibc.write(descriptor, line, line.count)
        precondition(count == line.count, "the file of CONTRACT_LOG cannot be written")
    }

    private static func members(_ message: AMQPMessage, _ others: [String: JSONValue]) -> [String: JSONValue] {
        let properties = message.properties
        let texts: [AMQPProperties.Text: String?] = [
            .contentType: properties.contentType, .contentEncoding: properties.contentEncoding,
            .correlationID: properties.correlationID, .replyTo: properties.replyTo, .expiration: properties.expiration,
            .messageID: properties.messageID, .type: properties.type, .userID: properties.userID,
            .appID: properties.appID,
        ]
        var written: [String: JSONValue] = [:]
        for (name, text) in texts { written[name.rawValue] = text.map(JSONValue.string) }
        for (name, bytes) in properties.undecoded where written[name.rawValue] == nil {
            written[name.rawValue] = .object(["bytes": base64(bytes)])
        }
        written["priority"] = properties.priority.map { .integer($0) }
        written["delivery_mode"] = properties.deliveryMode.map { .integer($0.rawValue) }
        var headers: [String: JSONValue] = [:]
        for (name, value) in properties.headers where headers[name] == nil { headers[name] = json(value) }
        return others.merging([
            "properties": .object(written), "headers": .object(headers), "body": base64(message.body),
        ]) { $1 }
    }

    /// What no rule of the contract takes for anything is an object.
    private static func json(_ value: AMQPValue) -> JSONValue {
        switch HeaderValue(value) {
        case .string(let text): .string(text)
        case .integer(let number): .integer(number)
        case .bool(let flag): .bool(flag)
        case .other: .object(["other": .bool(true)])
        }
    }

    private static func base64(_ bytes: [UInt8]) -> JSONValue { .string(Data(bytes).base64EncodedString()) }
}
