import HTTPClient
import Testing

@testable import BankSimulator

@Suite("Unusual answers, over a socket", .timeLimit(.minutes(2)))
struct AnswerServerTests {
    /// What an authorization is answered byte for byte, until the server closes the connection or all of a body of that
    /// length is there.
    private func authorize(_ bank: LiveSimulator) async throws -> (text: String, isAtEnd: Bool) {
        let client = try RawClient(port: bank.port)
        try client.post("/api/v1/authorizations", key: "k", LiveSimulator.authorization)
        var received = (text: "", isAtEnd: false)
        try await eventually("no whole answer came") {
            received = try client.receive()
            return received.isAtEnd || Self.isWhole(received.text)
        }
        return received
    }

    private static func isWhole(_ text: String) -> Bool {
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return false }
        let length = parts[0].split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        guard let length, let count = Int(length.dropFirst("Content-Length: ".count)) else { return false }
        return parts[1].utf8.count >= count
    }

    @Test("a status comes with its header fields, which win over the usual ones, and its body")
    func status() async throws {
        try await LiveSimulator.run { bank in
            try await bank.fault(
                #"{"fault":"status","status":429,"headers":{"Retry-After":"2","content-type":"text/plain"},"body":"wait é"}"#
            )
            let answer = try await bank.authorize()
            #expect(answer.status == 429 && answer.text == "wait é")
            #expect(answer.header("Retry-After") == "2")
            #expect(answer.header("Content-Type") == "text/plain")
            #expect(answer.header("Date")?.hasSuffix(" GMT") == true)
            #expect(try await bank.effects() == 0)
        }
    }

    @Test("a status without a body leaves its connection usable", arguments: [204, 205, 304])
    func noBody(status: Int) async throws {
        try await LiveSimulator.run { bank in
            try await bank.fault(#"{"fault":"status","status":\#(status),"count":1}"#)
            let client = try HTTPClient(configuration: HTTPClientConfiguration(maxConnections: 1))
            for expected in [status, 200] {
                let request = bank.request(.post, "/api/v1/authorizations", key: "k", LiveSimulator.authorization)
                #expect(try await client.send(request).status == expected)
            }
            #expect(try await bank.effects() == 1)
        }
    }

    @Test("http10 has no length and ends by closing")
    func http10() async throws {
        try await LiveSimulator.run { bank in
            try await bank.fault(#"{"fault":"reshape","style":"http10","count":1}"#)
            let (answer, isAtEnd) = try await authorize(bank)
            let head = answer.prefix(through: answer.firstIndex(of: "{") ?? answer.startIndex).lowercased()
            #expect(answer.hasPrefix("HTTP/1.0 200 OK\r\n") && isAtEnd)
            #expect(!head.contains("content-length") && !head.contains("transfer-encoding"))
            let body = try #require(answer.split(separator: "\r\n\r\n", maxSplits: 1).last)
            #expect(try await bank.authorize().text == body)
        }
    }

    @Test("the usual answer has a length and keeps its connection")
    func http11() async throws {
        try await LiveSimulator.run { bank in
            let (answer, isAtEnd) = try await authorize(bank)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && !isAtEnd)
        }
    }

    @Test("bom puts a byte order mark in front, within the length")
    func byteOrderMark() async throws {
        try await LiveSimulator.run { bank in
            try await bank.fault(#"{"fault":"reshape","style":"bom","count":1}"#)
            let marked = try await bank.authorize()
            let usual = try await bank.authorize()
            #expect(marked.body == [0xEF, 0xBB, 0xBF] + usual.body)
        }
    }

    @Test("gzip says so and holds the usual body")
    func gzip() async throws {
        try await LiveSimulator.run { bank in
            try await bank.fault(#"{"fault":"reshape","style":"gzip","count":1}"#)
            let packed = try await bank.authorize()
            let usual = try await bank.authorize()
            #expect(packed.header("Content-Encoding") == "gzip")
            // The client has unpacked it.
            #expect(packed.body == usual.body)
            #expect(usual.header("Content-Encoding") == nil)
        }
    }
}

@Suite("gzip", .timeLimit(.minutes(1)))
struct GzipTests {
    @Test("the checksum is that of gzip")
    func checksum() {
        #expect(Gzip.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(Gzip.checksum([]) == 0)
    }

    @Test("a short text is one stored block")
    func short() {
        // What `printf 'a' | gzip -d` takes: header, block, CRC-32 of "a" (0xE8B7BE43), length.
        let expected: [UInt8] = [
            0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1, 1, 0, 0xFE, 0xFF, 0x61, 0x43, 0xBE, 0xB7, 0xE8, 1, 0, 0, 0,
        ]
        #expect(Gzip.stored([0x61]) == expected)
    }

    @Test("no byte and many bytes are blocks of at most 65,535", arguments: [0, 1, 65_535, 65_536, 200_000])
    func blocks(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let stream = Gzip.stored(bytes)
        var rest = stream.dropFirst(10)
        var content: [UInt8] = []
        var isLast = false
        while !isLast {
            isLast = try number(&rest, 1) == 1
            let length = try number(&rest, 2)
            #expect(try number(&rest, 2) == 65_535 - length)
            content += rest.prefix(length)
            rest = rest.dropFirst(length)
        }
        #expect(content == bytes)
        #expect(try number(&rest, 4) == Int(Gzip.checksum(bytes)))
        #expect(try number(&rest, 4) == count)
        #expect(rest.isEmpty)
    }

    private func number(_ bytes: inout ArraySlice<UInt8>, _ count: Int) throws -> Int {
        let digits = bytes.prefix(count)
        try #require(digits.count == count)
        bytes = bytes.dropFirst(count)
        return digits.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
