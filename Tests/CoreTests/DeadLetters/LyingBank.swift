import Core
import Synchronization

/// Answers captures with another payment's amount while it is told to: nothing has happened, and manual review is
/// needed.
final class LyingBank: Sendable {
    private let isLying = Mutex(true)

    func lie(_ isOn: Bool) {
        isLying.withLock { $0 = isOn }
    }

    func before(_ bank: any Bank) -> any Bank { Front(lies: self, bank: bank) }

    private struct Front: Bank {
        let lies: LyingBank
        let bank: any Bank

        func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
            let isLie = lies.isLying.withLock { $0 } && request.action.kind == .capture
            guard isLie else { return await bank.send(request) }
            let body = JSONValue.object([
                "capture_id": .string("cap_other"), "authorization_id": .string("auth_other"),
                "status": .string("captured"), "amount": .integer(1), "currency": .string("USD"),
                "captured_at": .string("2030-01-01T00:00:00Z"),
            ])
            return .response(BankResponse(status: 200, body: .json(body)))
        }
    }
}
