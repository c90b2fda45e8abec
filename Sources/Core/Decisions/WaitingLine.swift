/// The commands of one payment and merchant that wait, seen by one command of theirs.
struct WaitingLine {
    /// The others, and among them those that arrived before it.
    private let others: [WaitingCommand]
    private let earlier: [WaitingCommand]
    /// Whether this message has a place of its own, or another copy of its command.
    private let isRegistered: Bool
    private let isKeyRegistered: Bool

    /// - Parameter waiting: of the payment, whoever sent them: a payment belongs to one merchant.
    init(_ waiting: [WaitingCommand], of command: Command) {
        let own = waiting.filter { $0.merchantID == command.merchantID }
        let copies = own.filter { $0.hasKey(of: command) }
        let place = copies.map(\.position).min()
        isRegistered = copies.contains { $0.isOf(command) }
        isKeyRegistered = place != nil
        others = own.filter { !$0.hasKey(of: command) }
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
        // Not stored: another copy of it may still have to be decided.
        case .rejected: isRegistered ? .remove : .unchanged
        case .claimed, .completed, .needsAttention: isKeyRegistered ? .removeAllCopies : .unchanged
        }
    }
}
