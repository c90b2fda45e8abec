import Glibc
import HTTPClient
import TestSupport
import Testing

@testable import Processor

extension CommandLane {
    /// The bank's side of `ServerTLSTests`: `processor doctor` says in one line what is wrong.
    @Suite("Certificates of and for the bank", .timeLimit(.minutes(5)))
    struct BankCertificateTests {
        private struct Case {
            let extensions: String
            var validity = CertificateAuthority.Validity.now
            var host = "127.0.0.1"
            var isTrusted = true
            var client: String? = "client"
            let finding: String
        }

        private static let own = "subjectAltName=IP:127.0.0.1"
        private static let answers = "answers (TLS, certificate trusted)"

        private static let cases = [
            Case(extensions: own, finding: answers),
            Case(extensions: "subjectAltName=DNS:*.payments.test", host: "mq.payments.test", finding: answers),
            Case(
                extensions: "subjectAltName=DNS:*.payments.test",
                host: "deep.mq.payments.test",
                finding: "(CN=bank) is for another name: DNS:*.payments.test"
            ),
            Case(
                extensions: "subjectAltName=DNS:bank.payments.test",
                finding: "(CN=bank) is for another name: DNS:bank.payments.test"
            ),
            Case(extensions: own, validity: .over, finding: "(CN=bank) has expired on 2020-02-01"),
            Case(extensions: own, validity: .notYet, finding: "(CN=bank) is not valid before 2048-01-01"),
            Case(
                extensions: own,
                isTrusted: false,
                finding: "(CN=bank) is issued by CN=test authority, which is not trusted"
            ),
            Case(extensions: own, client: nil, finding: "wants a client certificate"),
            Case(
                extensions: own,
                client: "late",
                finding: "refuses the client certificate (CN=late): it has expired"
            ),
            Case(
                extensions: own,
                client: "foreign",
                finding: "refuses the client certificate (CN=foreign): its issuer, CN=another authority, is not known"
            ),
        ]

        @Test("each is used, or refused in one line that says which certificate and why")
        func certificates() async throws {
            let (authority, stranger) = (
                try await CertificateAuthority(), try await CertificateAuthority("another authority")
            )
            defer { for one in [authority, stranger] { one.remove() } }
            try await authority.issue("client", "extendedKeyUsage=clientAuth")
            try await authority.issue("late", "extendedKeyUsage=clientAuth", .over)
            try await stranger.issue("foreign", "extendedKeyUsage=clientAuth")
            let hosts = authority.path("hosts")
            try NamedHosts.write(to: hosts)
            try await World.run { world in
                try await world.prepareForAudit()
                for test in Self.cases {
                    try await authority.issue("bank", test.extensions, test.validity)
                    let proxy = try await TLSBank.Proxy(authority, before: world.bank, clients: authority.caFile)
                    var changes = [
                        "BANK_URL": "https://\(test.host):\(proxy.port)",
                        "BANK_CA_FILE": test.isTrusted ? authority.caFile : stranger.caFile,
                        "FINGERPRINT_SECRET": "sixteen-or-more-characters",
                    ]
                    if let client = test.client {
                        let issuer = client == "foreign" ? stranger : authority
                        changes["BANK_CERT_FILE"] = issuer.path("\(client).pem")
                        changes["BANK_KEY_FILE"] = issuer.path("\(client).key")
                    }
                    let doctor = try await NamedHosts.command(["doctor"], world.environment(nil, changes), hosts: hosts)
                    let lines = doctor.output.split(separator: "\n").filter { $0.hasPrefix("bank ") }
                    #expect(lines.count == 1 && lines[0].contains(test.finding), "\(test.finding): \(doctor.output)")
                    await proxy.stop()
                }
            }
        }
    }
}

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
