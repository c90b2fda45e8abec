import TestSupport
import Testing

/// The commands of one payment in the order in which a client sends them, at a distance in time and whether or not the ones
/// before are answered, and what has to become of each.
struct Lifecycle: Sendable {
    let steps: [(command: TestCommand, result: String)]

    static func number(_ number: Int) -> Lifecycle {
        let id = Random.id
        let authorize = (TestCommand.authorize(paymentID: id), "succeeded")
        let refused = "rejected invalid_transition"
        return switch number % 3 {
        case 0:
            Lifecycle(steps: [authorize, (.capture(id), "succeeded"), (.refund(id), "succeeded")])
        case 1:
            Lifecycle(steps: [authorize, (.capture(id), "succeeded"), (.void(id), refused)])
        default:
            Lifecycle(steps: [authorize, (.void(id), "succeeded"), (.capture(id), refused)])
        }
    }

    /// Sends one step after the other.
    func send(to world: World, apart distance: Duration) async throws {
        let start = ContinuousClock.now
        for (index, step) in steps.enumerated() {
            try await Task.sleep(until: start + distance * index)
            try await world.send(step.command)
        }
    }

    /// What became of it otherwise than as it was sent; `nil` when nothing did.
    func deviation(in world: World) -> String? {
        let results = steps.map { step in
            let reply = world.upstream.replies(to: step.command.correlation).first(where: \.isFinal)
            return "\(step.command.kind) \(reply?.result ?? "not final")"
        }
        let expected = steps.map { "\($0.command.kind) \($0.result)" }
        return results == expected ? nil : results.joined(separator: ", ")
    }
}
