import Core

/// What the end of an operation writes: first the settlement, later the note that it was told.
indirect enum OperationEnding: Sendable {
    case settlement(Settlement)
    case told(ToldNote)

    var settlement: Settlement? {
        if case .settlement(let settlement) = self { return settlement }
        return nil
    }

    var told: ToldNote? {
        if case .told(let note) = self { return note }
        return nil
    }
}
