import Core
import Synchronization

/// What the faults of a seed do at the moment: nothing any more once the schedule has ended.
final class FaultSchedule: Sendable {
    private struct State {
        var hasEnded = false
        var isDatabaseDown = false
    }

    private let faults: FaultPlan
    private let state = Mutex(State())

    init(_ faults: FaultPlan) {
        self.faults = faults
    }

    /// `nil` when the faults have stopped.
    var plan: FaultPlan? { state.withLock { $0.hasEnded } ? nil : faults }

    func end() {
        state.withLock { $0 = State(hasEnded: true) }
    }

    func setDatabaseDown(_ isDown: Bool) {
        state.withLock { $0.isDatabaseDown = isDown && !$0.hasEnded }
    }

    struct StoreFate {
        var before: Duration
        var after: Duration
        var fault: StoreFault?
    }

    func storeFate(_ random: SeededRandom) -> StoreFate {
        var fate = StoreFate(
            before: random.duration(in: .microseconds(300)...(.milliseconds(3))),
            after: random.duration(in: .microseconds(300)...(.milliseconds(3)))
        )
        if state.withLock({ $0.isDatabaseDown }) {
            // A commit that was under way when it went down is as good as one that was not.
            fate.fault = random.happens(0.1) ? random.one(of: [.lostAfterCommit, .lostBeforeCommit]) : .unavailable
        }
        guard let plan else { return fate }
        if random.happens(plan.lockWait) { fate.before += random.duration(in: .milliseconds(20)...(.seconds(8))) }
        if random.happens(plan.lockWait) { fate.after += random.duration(in: .milliseconds(20)...(.seconds(8))) }
        if fate.fault == nil {
            if random.happens(plan.storeUnavailable) {
                fate.fault = .unavailable
            } else if random.happens(plan.commitAnswerLost) {
                fate.fault = .lostAfterCommit
            } else if random.happens(plan.commitLost) {
                fate.fault = .lostBeforeCommit
            }
        }
        return fate
    }

    enum PublishFault: Sendable {
        case lost, lostConfirm, refused
    }

    struct PublishFate {
        var before: Duration
        var after: Duration
        var fault: PublishFault?
    }

    func publishFate(_ random: SeededRandom) -> PublishFate {
        var fate = PublishFate(
            before: random.duration(in: .microseconds(200)...(.milliseconds(1))),
            after: random.duration(in: .microseconds(200)...(.milliseconds(2)))
        )
        guard let plan else { return fate }
        if random.happens(plan.lateConfirm) { fate.after += random.duration(in: .milliseconds(50)...(.seconds(6))) }
        if random.happens(plan.publishLost) {
            fate.fault = .lost
        } else if random.happens(plan.confirmLost) {
            fate.fault = .lostConfirm
        } else if random.happens(plan.publishRefused) {
            fate.fault = .refused
        }
        return fate
    }

    /// What the bank says to a question instead of the truth, now and then; `nil`: the truth.
    func lie(_ random: SeededRandom) -> BankAnswer? {
        guard let plan, random.happens(plan.bankFault) else { return nil }
        let notFound = JSONValue.object(["error": .string("not_found"), "message": .string("no such thing")])
        return random.one(of: [
            .noAnswer(reason: "connection_cut"),
            .response(BankResponse(status: 404, body: .json(notFound), date: Timestamp(microseconds: 0))),
            .response(BankResponse(status: 500, body: .text("it does not work"))),
        ])
    }

    func bank(_ operation: OperationKind, _ random: SeededRandom) -> BankBehavior {
        var behavior = BankBehavior(latency: random.duration(in: .milliseconds(5)...(.milliseconds(60))))
        guard let plan else { return behavior }
        if random.happens(plan.bankFault) { behavior.fault = random.one(of: plan.bankFaults) }
        behavior.losesKey = random.happens(plan.keyLoss)
        if random.happens(plan.slowBank) { behavior.latency = random.duration(in: .milliseconds(100)...(.seconds(31))) }
        return behavior
    }
}
