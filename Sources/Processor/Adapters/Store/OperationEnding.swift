import Core

/// What the end of an operation writes: first the settlement, later the note that it was told.
enum OperationEnding: Sendable {
    case settlement(Settlement)
    case told(Operation, isUndeliverable: Bool)

    var settlement: Settlement? {
        if case .settlement(let settlement) = self { return settlement }
        return nil
    }

    var told: ToldNote? {
        if case .told(let operation, let isUndeliverable) = self {
            return ToldNote(operation: operation, isUndeliverable: isUndeliverable)
        }
        return nil
    }
}

/// That the broker has what there was to tell of an operation's end.
struct ToldNote: Sendable {
    let operation: Operation
    /// No queue took its final reply (trap P8).
    let isUndeliverable: Bool
}
