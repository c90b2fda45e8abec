import Core

/// What those who publish and consume share with the keeper of the topology: what they find missing, and the wish that
/// it checks.
final class TopologyWatch: Sendable {
    let troubles: BrokerTroubles
    let gate = DestinationGate()
    let confirms: ConfirmGate
    /// Raised for the keeper.
    let signal = WakeUpSignal()

    /// - Parameter slots: how many commands may be under way.
    init(_ troubles: BrokerTroubles, slots: Int = 1) {
        self.troubles = troubles
        confirms = ConfirmGate(limit: min(slots / 8, 16))
    }

    /// Tells of it, and has it checked soon.
    func note(_ object: BrokerTrouble.Object, _ problem: BrokerTrouble.Problem) {
        troubles.note(object, problem)
        signal.raise()
    }
}
