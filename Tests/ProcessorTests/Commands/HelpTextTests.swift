import ArgumentParser
import Testing

@testable import Processor

@Suite("Help")
struct HelpTextTests {
    private static let commands: [any ParsableCommand.Type] = [
        ProcessorCommand.self, Run.self, CheckConfig.self, ReconcileReport.self, Doctor.self,
    ]

    @Test("every help has the exit codes, once, and none of the configuration's options")
    func exitCodes() {
        for command in Self.commands {
            let help = HelpText.completed(ProcessorCommand.helpMessage(for: command, columns: 200))
            #expect(help.split(separator: "EXIT CODES:", omittingEmptySubsequences: false).count == 2)
            #expect(!help.contains("--amqp-url <value>"))
        }
        #expect(HelpText.completed("1.0.0") == "1.0.0")
    }
}
