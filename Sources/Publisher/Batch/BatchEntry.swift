import PaymentCommands

/// A command of a batch, and where it stands in the file.
struct BatchEntry: Hashable, Sendable {
    /// From 1.
    let line: Int
    let command: OutgoingCommand
}
