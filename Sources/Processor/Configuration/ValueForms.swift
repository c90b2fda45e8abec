import ConfigurationReading
import Core
import FoundationEssentials
import Glibc
import Logging

extension ValueForm where Value == Logger.Level {
    static let logLevel = word(orElse: "is not a log level")
}

extension ValueForm where Value == String {
    /// The first part of the names of queues and exchanges. RabbitMQ keeps those that begin with `amq.` to itself.
    static let namePrefix = ValueForm(
        allowed: "1 to 64 letters, digits, '.', '_' and '-', not amq and not beginning with 'amq.'"
    ) { text throws(ValueProblem) in
        guard text.utf8.allSatisfy(isNameByte) else { throw ValueProblem("has a character that is not allowed") }
        guard text.utf8.count <= 64 else { throw ValueProblem("is too long") }
        guard !"\(text).".hasPrefix("amq.") else { throw ValueProblem("is reserved by the broker") }
        return text
    }

    /// A name or address to listen on.
    static let host = ValueForm(allowed: "a host name or an IP address, without a port") { text throws(ValueProblem) in
        guard text.utf8.allSatisfy({ isNameByte($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "%") }) else {
            throw ValueProblem("has a character that is not allowed")
        }
        guard text.utf8.count <= 255 else { throw ValueProblem("is too long") }
        return text
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// A file that this process may read.
    static let readableFile = ValueForm(allowed: "the path of a readable PEM file") { text throws(ValueProblem) in
        guard !text.utf8.contains(0) else { throw ValueProblem("has a character that is not allowed") }
        var status = stat()
        guard stat(text, &status) == 0 else { throw ValueProblem("names a file that does not exist") }
        guard status.st_mode & S_IFMT == S_IFREG, access(text, R_OK) == 0 else {
            throw ValueProblem("names something that cannot be read as a file")
        }
        return text
    }
}

extension ValueForm where Value == Secret {
    /// Its length is counted in bytes.
    static func secret(_ length: ClosedRange<Int>) -> ValueForm {
        let allowed = "\(length.lowerBound) to \(length.upperBound) visible ASCII characters, no spaces"
        return ValueForm(allowed: allowed, redact: { _ in Redaction.mask }) { text throws(ValueProblem) in
            guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
                throw ValueProblem("has a character that is not allowed")
            }
            guard length.contains(text.utf8.count) else {
                throw ValueProblem(text.utf8.count < length.lowerBound ? "is too short" : "is too long")
            }
            return Secret(text)
        }
    }
}

extension ValueForm where Value == [Secret] {
    /// Separated by commas, or a line each.
    static func secrets(_ length: ClosedRange<Int>) -> ValueForm {
        let one = ValueForm<Secret>.secret(length)
        return ValueForm(
            allowed: "secrets of \(one.allowed), separated by commas, or a line each",
            redact: one.redact
        ) { text throws(ValueProblem) in
            var secrets: [Secret] = []
            let separator: Character = text.contains("\n") ? "\n" : ","
            for part in text.split(separator: separator) { secrets.append(try one.parse(String(part))) }
            return secrets
        }
    }
}

extension ValueForm where Value == MerchantAccess {
    /// Empty lines and those that begin with # count for nothing.
    static let merchants = ValueForm(
        allowed: "the path of a readable file with lines of a broker user and merchant ids, these separated by commas"
    ) { text throws(ValueProblem) in
        guard !text.utf8.contains(0), let data = FileManager.default.contents(atPath: text), data.count <= 1 << 24,
            let content = String(validating: data, as: UTF8.self)
        else { throw ValueProblem("names a file that cannot be read as UTF-8 text") }
        var merchants: [String: Set<MerchantID>] = [:]
        for (index, line) in content.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard let first = line.first(where: { !$0.isWhitespace }), first != "#" else { continue }
            let fields = line.split(whereSeparator: \.isWhitespace)
            let ids = fields.dropFirst().first?.split(separator: ",").map { MerchantID(String($0)) } ?? []
            guard fields.count == 2, !ids.isEmpty, !ids.contains(nil) else {
                throw ValueProblem("line \(index + 1) is not a broker user and merchant ids, these separated by commas")
            }
            guard merchants.updateValue(Set(ids.compactMap(\.self)), forKey: String(fields[0])) == nil else {
                throw ValueProblem("line \(index + 1) names a broker user that another line names, too")
            }
        }
        return MerchantAccess(merchants)
    }
}
