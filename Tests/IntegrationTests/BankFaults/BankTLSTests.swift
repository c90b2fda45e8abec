import Glibc
import HTTPClient
import TestSupport
import Testing

@testable import Processor

extension CommandLane {
    /// Against a real TLS listener with an authority of its own, which wants to see a client certificate.
    @Suite("TLS to the bank", .timeLimit(.minutes(2)))
    struct BankTLSTests {
        @Test(
            "a private authority and a client certificate are used, whatever else is refused, renewed files count at once"
        )
        func clientCertificate() async throws {
            let authority = try await CertificateAuthority()
            defer { authority.remove() }
            try await authority.issue("bank", "subjectAltName=IP:127.0.0.1")
            try await authority.issue("client", "extendedKeyUsage=clientAuth")
            let server = try Child(
                "/usr/bin/env",
                [
                    "openssl", "s_server", "-www", "-accept", "127.0.0.1:0", "-Verify", "2", "-verify_return_error",
                    "-CAfile",
                    authority.path("ca.pem"), "-cert", authority.path("bank.pem"), "-key", authority.path("bank.key"),
                ]
            )
            defer {
                server.send(SIGKILL)
                server.directory.remove()
            }
            let port: Substring = try await eventually("the listener was there", context: { server.lastWords }) {
                let line = server.standardOutput.split(separator: "\n").first { $0.hasPrefix("ACCEPT ") }
                return line?.split(separator: ":").last
            }
            let own = BankTLS(
                caFile: authority.path("trusted.pem"),
                certFile: authority.path("client.pem"),
                keyFile: authority.path("client.key")
            )
            func status(_ tls: BankTLS, host: String = "127.0.0.1") async throws -> Int {
                let client = try HTTPClient(configuration: .bank(tls))
                let request = HTTPRequest(method: .get, url: "https://\(host):\(port)/", timeout: .seconds(20))
                let answer = await Result { try await client.send(request) }
                await client.shutdown()
                return try answer.get().status
            }
            // The file of another authority, renewed with the right one.
            let other = try await CertificateAuthority()
            defer { other.remove() }
            try ScratchDirectory.write(ScratchDirectory.read(other.path("ca.pem")), to: authority.path("trusted.pem"))
            await #expect(throws: HTTPError.self) { try await status(own) }
            try ScratchDirectory.write(
                ScratchDirectory.read(authority.path("ca.pem")),
                to: authority.path("trusted.pem")
            )
            #expect(try await status(own) == 200)
            await #expect(throws: HTTPError.self) { try await status(BankTLS(caFile: own.caFile)) }
            await #expect(throws: HTTPError.self) {
                try await status(BankTLS(certFile: own.certFile, keyFile: own.keyFile))
            }
            let error = await #expect(throws: HTTPError.self) { try await status(own, host: "localhost") }
            #expect(error?.code == .tlsFailed)
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ work: () async throws -> Success) async {
        do {
            self = .success(try await work())
        } catch {
            self = .failure(error)
        }
    }
}
