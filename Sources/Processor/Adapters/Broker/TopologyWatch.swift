import Core

/// What those who publish and consume share with the keeper of the topology: what they find missing, and the wish that it looks.
final class TopologyWatch: Sendable {
    let troubles: BrokerTroubles
    let gate = DestinationGate()
    /// Rings for the keeper.
    let bell = OutboxBell()

    init(_ troubles: BrokerTroubles) {
        self.troubles = troubles
    }

    /// Tells of it, and has it looked at soon.
    func note(_ object: BrokerTrouble.Object, _ problem: BrokerTrouble.Problem) {
        troubles.note(object, problem)
        bell.ring()
    }
}
