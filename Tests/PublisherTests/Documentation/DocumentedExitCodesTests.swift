import TestSupport
import Testing

@testable import Publisher

/// docs/contract.md#exit-codes against the publisher's.
@Suite("The publisher's documented exit codes", .timeLimit(.minutes(1)))
struct DocumentedExitCodesTests {
    @Test("are those that it ends with")
    func exitCodes() {
        let documented = DocumentationPage("contract.md").table("publisher", "Meaning").map { $0[0] }
        #expect(documented == PublisherStatus.allCases.map { "\($0.rawValue)" })
    }
}
