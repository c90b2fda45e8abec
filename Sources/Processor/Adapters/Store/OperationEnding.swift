import Core

/// What the end of an operation writes: first the settlement, later the note that it was reported.
indirect enum OperationEnding: Sendable {
    case settlement(Settlement)
    case notified(NotificationRecord)

    var settlement: Settlement? {
        if case .settlement(let settlement) = self { return settlement }
        return nil
    }

    var notified: NotificationRecord? {
        if case .notified(let note) = self { return note }
        return nil
    }
}
