/// The commands of one payment and merchant that wait, seen by one command of theirs.
struct WaitingLine {
    /// The others, and among them those that arrived before it.
    private let others: [WaitingCommand]
    private let earlier: [WaitingCommand]
    /// Whether the command itself is among those that wait.
    let isRegistered: Bool

    /// - Parameter waiting: of the payment, whoever sent them: a payment belongs to one merchant.
    init(_ waiting: [WaitingCommand], of command: Command) {
        let own = waiting.filter { $0.merchantID == command.merchantID }
        let place = own.first { $0.isOf(command) }?.position
        isRegistered = place != nil
        others = own.filter { !$0.isOf(command) }
        earlier = others.filter { $0.position < place ?? .max }
    }

    /// An authorize comes first, whatever arrived before it; only another authorize under its payment id may be before it.
    var hasEarlierAuthorize: Bool { earlier.contains { $0.kind == .authorize } }

    /// Where the payment exists, a further authorize under its id changes nothing.
    var hasEarlierChange: Bool { earlier.contains { $0.kind != .authorize } }

    var hasAuthorize: Bool { others.contains { $0.kind == .authorize } }

    /// What becomes of the command's own place.
    func registration(for outcome: ClaimOutcome) -> ClaimDecision.Registration {
        switch outcome {
        case .wait: isRegistered ? .unchanged : .add
        case .waitForKey: .unchanged
        case .claimed, .settled, .rejected, .needsAttention: isRegistered ? .remove : .unchanged
        }
    }
}
