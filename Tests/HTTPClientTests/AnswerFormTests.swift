import Foundation
import HTTPClient
import Testing

/// What HTTP allows beyond an HTTP/1.1 answer that says how long it is.
@Suite("Forms of an answer", .timeLimit(.minutes(1)))
struct AnswerFormTests {
    static let headersWithoutLength = [
        "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
    ]

    @Test("an answer without a length ends with its connection", arguments: headersWithoutLength, ["{\"a\":1}", ""])
    func endedByClosing(header: String, body: String) async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.send(header + String(body.prefix(3)))
            connection.send(String(body.dropFirst(3)))
        } _: { server, client in
            for _ in 0..<2 {
                let response = try await client.send(.post(server.url(), "x"))
                #expect(response.status == 200)
                #expect(response.body == Array(body.utf8))
            }
            #expect(server.acceptedConnections == 2)
        }
    }

    @Test("one that ends with a reset is cut", arguments: headersWithoutLength, ["{\"a\":1}", ""])
    func endedByReset(header: String, body: String) async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.send(header + body)
            connection.reset()
        } _: { server, client in
            let error = try await client.failure(of: .post(server.url(), "x"))
            #expect(error.code == .connectionLost)
            #expect(error.outcomeUnknown)
        }
    }

    @Test("one that ends too late is a timeout, and one that is too large is refused")
    func endedByNeither() async throws {
        try await withServer { connection in
            let request = connection.readRequest()
            let size = request?.line.contains("/large") == true ? 1001 : 1000
            connection.send("HTTP/1.0 200 OK\r\n\r\n" + String(repeating: "x", count: size))
            connection.readToEnd()
        } configure: {
            $0.maxResponseBytes = 1000
        } _: { server, client in
            let late = try await client.failure(of: .post(server.url(), "x", timeout: .seconds(1)))
            #expect(late.code == .timedOut)
            let large = try await client.failure(of: .post(server.url("/large"), "x"))
            #expect(large.code == .responseTooLarge)
        }
    }

    @Test("HTTP/1.0 with a length may keep its connection", arguments: [false, true])
    func oldWithLength(keepsAlive: Bool) async throws {
        try await withServer { connection in
            while connection.readRequest() != nil {
                let header = keepsAlive ? "Connection: keep-alive\r\n" : ""
                connection.send("HTTP/1.0 200 OK\r\n\(header)Content-Length: 2\r\n\r\nok")
            }
        } _: { server, client in
            for _ in 0..<2 {
                let response = try await client.send(.post(server.url(), "x"))
                #expect(response.body == Array("ok".utf8))
            }
            #expect(server.acceptedConnections == (keepsAlive ? 1 : 2))
        }
    }

    enum Coding: String, CaseIterable {
        case gzip, deflate

        /// `{"status":"approved","amount":5000}`
        var bytes: [UInt8] {
            switch self {
            case .gzip: [UInt8](base64: "H4sIAAAAAAACA6tWKi5JLCktVrJSSiwoKMovS01R0lFKzM0vzStRsjI1MDCoBQAeHvprIwAAAA==")
            case .deflate: [UInt8](base64: "eNqrViouSSwpLVayUkosKCjKL0tNUdJRSszNL80rUbIyNTAwqAUA3v8Lww==")
            }
        }
    }

    enum Framing: CaseIterable { case length, chunks, closing }

    @Test("a compressed answer is decoded, though nobody asked for it", arguments: Coding.allCases, Framing.allCases)
    func compressed(coding: Coding, framing: Framing) async throws {
        try await withServer { connection in
            while let request = connection.readRequest() {
                guard request.values("Accept-Encoding").isEmpty else { return }
                connection.answer(coding.bytes, coding: coding.rawValue, framing: framing)
                if framing == .closing { return }
            }
        } _: { server, client in
            for _ in 0..<2 {
                let response = try await client.send(.post(server.url(), "x"))
                #expect(String(decoding: response.body, as: UTF8.self) == "{\"status\":\"approved\",\"amount\":5000}")
                #expect(response.headers["content-encoding"] == coding.rawValue)
            }
            #expect(server.acceptedConnections == (framing == .closing ? 2 : 1))
        }
    }

    @Test("a compressed answer that is cut is no answer", arguments: [Framing.length, .chunks])
    func cut(framing: Framing) async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.answer(Coding.gzip.bytes, coding: "gzip", framing: framing, cut: 3)
        } _: { server, client in
            let error = try await client.failure(of: .post(server.url(), "x"))
            #expect(error.code == .connectionLost)
            #expect(error.outcomeUnknown)
        }
    }

    /// 100,000 times "x".
    static let bomb = [UInt8](
        base64: "H4sIAAAAAAACA+3BMQEAAADCoNqLbw0PoA" + String(repeating: "A", count: 135) + "IBXA3ERB/6ghgEA"
    )

    @Test("what is too large when decoded is refused, however small it came", arguments: Framing.allCases)
    func tooLargeDecoded(framing: Framing) async throws {
        #expect(Self.bomb.count < 1000)
        try await withServer { connection in
            connection.readRequest()
            connection.answer(Self.bomb, coding: "gzip", framing: framing)
            connection.readToEnd()
        } configure: {
            $0.maxResponseBytes = 1000
        } _: { server, client in
            let error = try await client.failure(of: .post(server.url(), "x"))
            #expect(error.code == .responseTooLarge)
            #expect(error.outcomeUnknown)
        }
    }
}

extension [UInt8] {
    fileprivate init(base64 text: String) {
        self.init(Data(base64Encoded: text) ?? Data())
    }
}

extension RawConnection {
    /// - Parameter cut: how many bytes at the end of the whole answer are left out.
    fileprivate func answer(_ body: [UInt8], coding: String, framing: AnswerFormTests.Framing, cut: Int = 0) {
        let header = "HTTP/1.1 200 OK\r\nContent-Encoding: \(coding)\r\n"
        let bytes =
            switch framing {
            case .length: Array("\(header)Content-Length: \(body.count)\r\n\r\n".utf8) + body
            case .chunks:
                Array("\(header)Transfer-Encoding: chunked\r\n\r\n\(String(body.count, radix: 16))\r\n".utf8) + body
                    + Array("\r\n0\r\n\r\n".utf8)
            case .closing: Array("\(header)\r\n".utf8) + body
            }
        send(Array(bytes.dropLast(cut)))
    }
}
