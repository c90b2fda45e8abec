import AMQP
import Core
import Glibc
import Postgres
import TestSupport
import Testing

/// A real RabbitMQ and a real PostgreSQL that speak TLS with certificates of an authority of their own, and want to see one of the client.
struct TLSWorld {
    let authority: CertificateAuthority
    /// Whom nobody trusts.
    let stranger: CertificateAuthority
    let services: PrivateServices
    /// Names of this machine's own, that lead to it in a mount namespace.
    private let hosts: String

    static func run(_ body: (TLSWorld) async throws -> Void) async throws {
        let authority = try await CertificateAuthority()
        let stranger = try await CertificateAuthority("another authority")
        defer { for one in [authority, stranger] { one.remove() } }
        try await authority.issue("server", "subjectAltName=IP:127.0.0.1")
        try await authority.issue("client", "extendedKeyUsage=clientAuth")
        var kind = PrivateServices.Kind()
        kind.environment["TLS"] = authority.path("")
        try await PrivateServices.run(kind) { services in
            let hosts = authority.path("hosts")
            try NamedHosts.write(to: hosts)
            try await body(TLSWorld(authority: authority, stranger: stranger, services: services, hosts: hosts))
        }
    }

    /// Both servers show another certificate from now on.
    func renew(_ extensions: String, _ validity: CertificateAuthority.Validity, by issuer: CertificateAuthority)
        async throws
    {
        try await issuer.issue("server", extensions, validity)
        if issuer.caFile != authority.caFile {
            for file in ["server.pem", "server.key"] {
                try ScratchDirectory.write(ScratchDirectory.read(issuer.path(file)), to: authority.path(file))
            }
        }
        for service in ["rabbitmq", "postgres"] { try await services.call("renew", service) }
    }

    // MARK: Addresses

    func amqps(_ host: String = "127.0.0.1") -> String {
        (services.amqpsURL ?? "").replacing("@127.0.0.1:", with: "@\(host):")
    }

    /// - Parameter client: the name of its certificate's files.
    func verifyFull(_ url: String, _ host: String = "127.0.0.1", client: String? = "client") -> String {
        var address = url.replacing("@127.0.0.1:", with: "@\(host):")
        address += "\(url.contains("?") ? "&" : "?")sslmode=verify-full&sslrootcert=\(authority.caFile)"
        if let client {
            address += "&sslcert=\(authority.path("\(client).pem"))&sslkey=\(authority.path("\(client).key"))"
        }
        return address
    }

    func environment(_ host: String = "127.0.0.1", client: String? = "client", prefix: String) -> [String: String] {
        var environment = [
            "AMQP_URL": amqps(host), "AMQP_CA_FILE": authority.caFile, "AMQP_PREFIX": prefix,
            "FINGERPRINT_SECRET": "sixteen-or-more-characters",
            "DATABASE_URL": verifyFull(services.servers.databaseURL, host, client: client),
        ]
        if let client {
            environment["AMQP_CERT_FILE"] = authority.path("\(client).pem")
            environment["AMQP_KEY_FILE"] = authority.path("\(client).key")
        }
        return environment
    }

    /// Runs a command of the processor, for which the names lead to this machine.
    func command(
        _ arguments: [String],
        _ environment: [String: String]
    ) async throws -> (exit: Child.Exit, output: String, errors: String) {
        try await NamedHosts.command(arguments, environment, hosts: hosts)
    }
}

/// Names of this machine that only one process sees, in a mount namespace of its own.
enum NamedHosts {
    static let all = ["mq.payments.test", "deep.mq.payments.test"]

    /// - Parameter path: of the file to write.
    static func write(to path: String) throws {
        try ScratchDirectory.write("127.0.0.1 localhost \(all.joined(separator: " "))\n", to: path)
    }

    static func command(
        _ arguments: [String],
        _ environment: [String: String],
        hosts: String
    ) async throws -> (exit: Child.Exit, output: String, errors: String) {
        let namespace = geteuid() == 0 ? ["--mount"] : ["--mount", "--map-root-user"]
        let mount = #"mount --bind "$0" /etc/hosts && exec "$@""#
        let line = ["unshare"] + namespace + ["bash", "-c", mount, hosts, try TestPrograms.processor()] + arguments
        let child = try Child("/usr/bin/env", line, environment: environment)
        defer { child.directory.remove() }
        return (try await child.end(), child.standardOutput, child.standardError)
    }
}

/// A bank simulator behind TLS, with an authority of its own.
struct TLSBank {
    let url: String
    let authority: CertificateAuthority
    private let proxy: Proxy

    init(before bank: BankProcess) async throws {
        authority = try await CertificateAuthority()
        try await authority.issue("bank", "subjectAltName=IP:127.0.0.1")
        proxy = try await Proxy(authority, before: bank)
        url = "https://127.0.0.1:\(proxy.port)"
    }

    /// Of a processor that talks to it.
    var environment: [String: String] { ["BANK_URL": url, "BANK_CA_FILE": authority.caFile] }

    func stop() async {
        await proxy.stop()
        authority.remove()
    }

    /// Shows the certificate `bank` of an authority.
    struct Proxy {
        let port: Int
        private let child: Child

        /// - Parameter clients: the authority whose certificates clients must show; `nil`: they need none.
        init(_ authority: CertificateAuthority, before bank: BankProcess, clients: String? = nil) async throws {
            let script = "\(PrivateServices.root)/Tests/TestSupport/tls-proxy.py"
            let arguments = [
                "python3", script, authority.path("bank.pem"), authority.path("bank.key"),
                "\(ServerURL(bank.url).port)",
            ]
            let child = try Child("/usr/bin/env", arguments + [clients].compactMap(\.self))
            self.child = child
            port = try await eventually("the bank spoke TLS", context: { child.lastWords }) {
                let output = child.standardOutput
                return output.hasSuffix("\n") ? output.dropLast().split(separator: " ").last.flatMap { Int($0) } : nil
            }
        }

        func stop() async {
            child.send(SIGKILL)
            _ = try? await child.end()
            child.directory.remove()
        }
    }
}
