import COpenSSL
import Glibc

/// What a certificate says of itself.
struct Certificate {
    /// `CN=name`, or the whole name where it has none.
    let subject: String
    let issuer: String
    /// Days, in UTC.
    let begin: String
    let end: String
    /// Whom it is for: `DNS:a.example, IP:10.0.0.1`.
    let names: String

    init(_ certificate: OpaquePointer) {
        subject = Self.text(X509_get_subject_name(certificate))
        issuer = Self.text(X509_get_issuer_name(certificate))
        begin = Self.day(X509_get0_notBefore(certificate))
        end = Self.day(X509_get0_notAfter(certificate))
        names = Self.names(certificate)
    }

    /// The first one of a PEM file; `nil` where there is none.
    init?(file: String) {
        guard let stream = fopen(file, "r") else { return nil }
        defer { fclose(stream) }
        guard let certificate = PEM_read_X509(stream, nil, nil, nil) else { return nil }
        defer { X509_free(certificate) }
        self.init(certificate)
    }

    /// OpenSSL's.
    static func words(of code: Int) -> String {
        X509_verify_cert_error_string(code).map { String(cString: $0) } ?? "error \(code)"
    }

    private static func text(_ name: OpaquePointer?) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        if X509_NAME_get_text_by_NID(name, NID_commonName, &buffer, Int32(buffer.count)) > 0 {
            return "CN=\(printable(buffer))"
        }
        guard X509_NAME_oneline(name, &buffer, Int32(buffer.count)) != nil else { return "no name" }
        let text = printable(buffer)
        return text.isEmpty ? "no name" : text
    }

    private static func day(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return "a day that cannot be read" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1_900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }

    private static func names(_ certificate: OpaquePointer) -> String {
        let index = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1)
        guard index >= 0, let output = BIO_new(BIO_s_mem()) else { return "it names none" }
        defer { BIO_free(output) }
        X509V3_EXT_print(output, X509_get_ext(certificate, index), 0, 0)
        var buffer = [CChar](repeating: 0, count: 256)
        guard BIO_gets(output, &buffer, Int32(buffer.count)) > 0 else { return "it names none" }
        return printable(buffer)
    }

    /// It is somebody else's text, and goes to the log.
    private static func printable(_ buffer: [CChar]) -> String {
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes.map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
