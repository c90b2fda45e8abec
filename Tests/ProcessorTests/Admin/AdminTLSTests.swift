import ConfigurationReading
import Core
import HTTPClient
import Logging
import TestSupport
import Testing

@testable import Processor

@Suite("The admin server over TLS", .timeLimit(.minutes(2)))
struct AdminTLSTests: AdminScene {
    let readiness = Readiness()

    private func withTLS<Value: Sendable>(
        limits: AdminLimits = .patient,
        log: CapturedLog? = nil,
        _ work: (CertificateAuthority, Int) async throws -> Value
    ) async throws -> Value {
        let authority = try await CertificateAuthority()
        defer { authority.remove() }
        try await authority.issue("admin", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        let tls = AdminTLS(certFile: authority.path("admin.pem"), keyFile: authority.path("admin.key"))
        return try await withServer(limits: limits, tls: tls, log: log) { port in try await work(authority, port) }
    }

    private func status(
        _ port: Int,
        trusting authority: CertificateAuthority,
        headers: [HTTPHeader] = []
    ) async throws -> Int {
        let client = try HTTPClient(configuration: HTTPClientConfiguration(caFile: authority.caFile))
        let url = "https://localhost:\(port)/payments?order_id=a"
        let request = HTTPRequest(method: .get, url: url, headers: headers, timeout: .seconds(30))
        let answer: Result<HTTPResponse, HTTPError>
        do throws(HTTPError) { answer = .success(try await client.send(request)) } catch { answer = .failure(error) }
        await client.shutdown()
        return try answer.get().status
    }

    /// What openssl's client says of a handshake.
    private func handshake(_ port: Int, _ options: [String]) async throws -> Child.Exit {
        let client = try Child(
            "/usr/bin/env",
            ["openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-cipher", "ALL:@SECLEVEL=0"] + options
        )
        defer { client.directory.remove() }
        return try await client.end()
    }

    @Test("it answers over TLS 1.2 and later, to its own pages, and not to who speaks none or an older one")
    func tls() async throws {
        try await withTLS { authority, port in
            #expect(try await status(port, trusting: authority) == 200)
            let own = HTTPHeader("Origin", "https://localhost:\(port)")
            #expect(try await status(port, trusting: authority, headers: [own]) == 200)
            let plain = HTTPHeader("Origin", "http://localhost:\(port)")
            #expect(try await status(port, trusting: authority, headers: [plain]) == 403)
            #expect(try await handshake(port, ["-tls1_2"]) == .status(0))
            #expect(try await handshake(port, ["-tls1_3"]) == .status(0))
            #expect(try await handshake(port, ["-tls1_1"]) != .status(0))
            let bytes = try await PlainHTTP.received(after: "GET /healthz HTTP/1.1\r\n\r\n", port: port)
            #expect(!bytes.starts(with: Array("HTTP/".utf8)))
            #expect(try await status(port, trusting: authority) == 200)
        }
    }

    @Test("a renewed certificate counts from the next connection on; one that cannot be used leaves the one before")
    func renewed() async throws {
        let log = try CapturedLog(level: .notice)
        try await withTLS(log: log) { authority, port in
            let other = try await CertificateAuthority("another authority")
            defer { other.remove() }
            #expect(try await status(port, trusting: authority) == 200)
            await #expect(throws: HTTPError.self) { try await status(port, trusting: other) }

            try await other.issue("admin", "subjectAltName=DNS:localhost")
            try ScratchDirectory.write(ScratchDirectory.read(other.path("admin.pem")), to: authority.path("admin.pem"))
            // The new certificate with the old key.
            #expect(try await status(port, trusting: authority) == 200)
            try await eventually("the log said why") {
                log.lines().contains { $0.contains("is not the key of the certificate in admin.cert-file") }
            }
            try ScratchDirectory.write(ScratchDirectory.read(other.path("admin.key")), to: authority.path("admin.key"))
            #expect(try await status(port, trusting: other) == 200)
            await #expect(throws: HTTPError.self) { try await status(port, trusting: authority) }
        }
    }

    @Test("who connects and does not shake hands is not kept")
    func silent() async throws {
        try await withTLS(limits: AdminLimits(header: .milliseconds(200), body: .milliseconds(100))) { _, port in
            let received = try await PlainHTTP.received(after: "", port: port)
            #expect(received.isEmpty)
        }
    }

    @Test("files that cannot be used are a line each, which names the setting and nothing of the file")
    func badFiles() async throws {
        let authority = try await CertificateAuthority()
        defer { authority.remove() }
        try await authority.issue("admin", "subjectAltName=IP:127.0.0.1")
        try await authority.issue("other", "subjectAltName=IP:127.0.0.1")
        try ScratchDirectory.write("secret nonsense", to: authority.path("nonsense"))
        let table: [(String, String?, String?)] = [
            ("admin.pem", "admin.key", nil),
            ("nonsense", "admin.key", "admin.cert-file (ADMIN_CERT_FILE): holds no certificate in PEM"),
            ("admin.pem", "nonsense", "admin.key-file (ADMIN_KEY_FILE): holds no unencrypted private key in PEM"),
            (
                "admin.pem", "other.key",
                "admin.key-file (ADMIN_KEY_FILE): is not the key of the certificate in admin.cert-file"
            ),
            ("admin.pem", nil, "admin.key-file (ADMIN_KEY_FILE): is needed beside admin.cert-file (ADMIN_CERT_FILE)"),
        ]
        for (cert, key, problem) in table {
            var environment = ["ADMIN_CERT_FILE": authority.path(cert)]
            if let key { environment["ADMIN_KEY_FILE"] = authority.path(key) }
            let result = Result { () throws(ConfigurationError) in
                try ProcessorConfiguration(ConfigurationInputs(environment: environment))
            }
            switch result {
            case .success(let configuration):
                #expect(problem == nil && configuration.admin.tls?.certFile == authority.path(cert))
            case .failure(let error): #expect(error.problems == [problem].compactMap(\.self))
            }
        }
    }
}
