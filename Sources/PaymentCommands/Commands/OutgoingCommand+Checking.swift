package import Core

extension OutgoingCommand {
    /// What the processor would reject it for, or dead-letter it, by the processor's own rules; `nil` where it is valid.
    package var problem: InvalidField? {
        let anyID = UniqueID(high: 1, low: 1)
        let message = message(id: anyID, correlationID: "check", replyTo: nil)
        switch CommandDecoder().decode(message) {
        case .command: return nil
        // What is sealed, only the processor can open.
        case .answerable(let command) where command.problem == SealedCardProblem.unknownKey.invalidField: return nil
        case .answerable(let command): return command.problem
        case .unanswerable(let problem): return problem
        }
    }
}
