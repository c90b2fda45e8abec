/// An authority with certificates of its own, made by openssl in a temporary folder.
package struct CertificateAuthority: Sendable {
    /// When a certificate is valid.
    package enum Validity: Sendable {
        case now, over, notYet

        fileprivate var dates: [String] {
            switch self {
            case .now: ["-days", "2"]
            case .over: ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
            case .notYet: ["-startdate", "20480101000000Z", "-enddate", "20490101000000Z"]
            }
        }
    }

    package let name: String
    private let directory: ScratchDirectory

    /// - Throws: `ChildError`, with the words of openssl.
    package init(_ name: String = "test authority") async throws {
        self.name = name
        directory = try ScratchDirectory()
        try ScratchDirectory.write(Self.configuration, to: path("ca.cnf"))
        try ScratchDirectory.write("", to: path("index"))
        try await openssl(
            ["req", "-x509", "-days", "2", "-subj", "/CN=\(name)", "-keyout", path("ca.key"), "-out", path("ca.pem")]
                + Self.key
        )
    }

    package func path(_ name: String) -> String { directory.file(name) }

    package var caFile: String { path("ca.pem") }

    package func remove() { directory.remove() }

    /// Makes `NAME.pem` and `NAME.key`, in place of what was there.
    ///
    /// - Parameters:
    ///   - name: the common name, too.
    ///   - extensions: such as `subjectAltName=IP:127.0.0.1`.
    package func issue(_ name: String, _ extensions: String, _ validity: Validity = .now) async throws {
        try ScratchDirectory.write("basicConstraints=critical,CA:FALSE\n\(extensions)\n", to: path("extensions"))
        try await openssl(
            ["req", "-new", "-subj", "/CN=\(name)", "-keyout", path("\(name).key"), "-out", path("request")] + Self.key
        )
        try await openssl(
            [
                "ca", "-batch", "-config", path("ca.cnf"), "-cert", caFile, "-keyfile", path("ca.key"), "-in",
                path("request"), "-out", path("\(name).pem"), "-extfile", path("extensions"), "-notext",
            ] + validity.dates
        )
    }

    private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    /// All that `openssl ca` cannot do without.
    private static let configuration = """
        [ca]
        default_ca = own
        [own]
        database = index
        new_certs_dir = .
        rand_serial = yes
        unique_subject = no
        default_md = sha256
        policy = any
        [any]
        commonName = supplied

        """

    private func openssl(_ arguments: [String]) async throws {
        // In its folder, where the names of its configuration lead.
        let child = try Child("/usr/bin/env", ["--chdir=\(directory.path)", "openssl"] + arguments)
        defer { child.directory.remove() }
        guard try await child.end() == .status(0) else { throw ChildError(child.lastWords) }
    }
}
