import Core

/// What the end of an operation writes: first the result, later the note that it was reported.
indirect enum OperationEnding: Sendable {
    case result(OperationResult)
    case notified(NotificationRecord)

    var result: OperationResult? {
        if case .result(let result) = self { return result }
        return nil
    }

    var notified: NotificationRecord? {
        if case .notified(let note) = self { return note }
        return nil
    }
}
