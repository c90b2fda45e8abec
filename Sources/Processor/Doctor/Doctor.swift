import ArgumentParser
import Core
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
