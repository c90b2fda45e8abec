import Core

/// What the database is asked to write about one command.
protocol WorkOfCommand: Sendable {
    var subject: StoredCommand { get }
}

/// What tells a command from others in the database.
struct StoredCommand: Hashable, Sendable {
    let merchantID: MerchantID
    let idempotencyKey: IdempotencyKey
}

extension Command: WorkOfCommand {
    var subject: StoredCommand { StoredCommand(merchantID: merchantID, idempotencyKey: idempotencyKey) }
}

extension ClaimRequest: WorkOfCommand {
    var subject: StoredCommand { command.subject }
}

extension OperationEnding: WorkOfCommand {
    var subject: StoredCommand {
        let operation =
            switch self {
            case .result(let result): result.operation
            case .notified(let note): note.operation
            }
        return StoredCommand(merchantID: operation.merchantID, idempotencyKey: operation.idempotencyKey)
    }
}
