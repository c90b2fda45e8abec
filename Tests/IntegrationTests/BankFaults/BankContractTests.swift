import BankContract
import Core
import HTTPClient
import TestSupport
import Testing

@testable import Processor

@Suite("The bank simulator keeps the bank contract", .serialized, .timeLimit(.minutes(5)))
struct BankContractTests {
    @Test("every check", arguments: BankCheck.all)
    func check(_ check: BankCheck) async throws {
        let process = try await BankProcess([:])
        let client = try HTTPClient(configuration: HTTPClientConfiguration())
        let result: Result<Void, any Error>
        do {
            try await check.run(on: Subject(process: process, bank: HTTPBank(client: client, url: process.url)))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await client.shutdown()
        await process.stop()
        try result.get()
    }

    struct Subject: BankUnderTest {
        let process: BankProcess
        let bank: any Core.Bank

        func cause(_ trouble: BankTrouble, on operation: OperationKind) async throws {
            try await process.fault(
                trouble.rawValue,
                on: operation,
                milliseconds: trouble == .latency ? 200 : nil
            )
        }

        func effects(_ key: String) async throws -> Int { try await process.ledger().count { $0.bankKey == key } }

        func pass(_ duration: Duration) async throws { try await Task.sleep(for: duration) }
    }
}
