import AMQP
import ArgumentParser
import ConfigurationReading
import Core
import Glibc
import Program

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks everything that a processor needs, and says what to do about what is wrong.",
        discussion: """
            Files, broker, topology, database, bank and clocks, one line each. Changes nothing. Exit code 1 where something is \
            wrong; what is only advice does not count.
            """
    )

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        var findings = FileChecks(configuration).findings
        findings += await BrokerChecks(configuration: configuration).findings()
        findings += await DatabaseChecks(configuration: configuration).findings()
        findings += await BankChecks(configuration: configuration).findings()
        StandardStream.output.print(json ? Finding.json(findings) : Finding.table(findings))
        if findings.contains(where: { $0.grade == .wrong }) { throw ExitCode(ExitStatus.differences.rawValue) }
    }
}

/// What a check of the doctor came to.
struct Finding: Hashable, Sendable {
    enum Grade: String, Sendable {
        case ok
        /// Works, and should be otherwise.
        case advice
        case wrong
    }

    let subject: String
    let grade: Grade
    /// For what is not ok it ends in what to do.
    let detail: String

    init(_ subject: String, _ grade: Grade, _ detail: String) {
        self.subject = subject
        self.grade = grade
        self.detail = detail
    }

    static func table(_ findings: [Finding]) -> String {
        let rows = findings.map { [$0.subject, $0.grade.rawValue, $0.detail] }
        let wrong = findings.count { $0.grade == .wrong }
        let summary = wrong == 0 ? "nothing is wrong" : "\(wrong) of \(findings.count) checks found something wrong"
        return (TextTable.lines([["CHECK", "RESULT", "DETAIL"]] + rows) + ["", summary]).joined(separator: "\n")
    }

    static func json(_ findings: [Finding]) -> String {
        let checks = findings.map { finding in
            JSONValue.object([
                "check": .string(finding.subject), "detail": .string(finding.detail),
                "result": .string(finding.grade.rawValue),
            ])
        }
        return String(decoding: JSONValue.object(["checks": .array(checks)]).encoded, as: UTF8.self)
    }
}

/// Who may read what only the processor should: files with secrets.
struct FileChecks {
    private let paths: [(name: String, path: String)]
    private let warnings: [String]

    init(_ configuration: ProcessorConfiguration) {
        paths = configuration.secretFiles.map { ($0.name, $0.path) }
        warnings = configuration.warnings
    }

    var findings: [Finding] {
        let files = paths.map { Self.finding($0.name, $0.path) }
        let advice = warnings.map { Finding("configuration", .advice, $0) }
        return [Finding("configuration", .ok, "every value can be used")] + advice + files
    }

    /// A file whose contents give access to something.
    static func finding(_ name: String, _ path: String) -> Finding {
        var status = stat()
        guard stat(path, &status) == 0, access(path, R_OK) == 0 else {
            return Finding(name, .wrong, "\(path) cannot be read by this user; correct its owner or mode")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            return Finding(name, .wrong, "\(path) has mode \(mode), so others may read it; chmod 600 \(path)")
        }
        return Finding(name, .ok, "\(path), for this user only")
    }
}
