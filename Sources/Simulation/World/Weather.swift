import Core
import Synchronization

/// What the faults of a seed do at the moment: nothing any more once it has cleared up.
final class Weather: Sendable {
    private struct State {
        var isClear = false
        var isDatabaseDown = false
    }

    private let faults: FaultPlan
    private let state = Mutex(State())

    init(_ faults: FaultPlan) {
        self.faults = faults
    }

    /// `nil` when the faults have stopped.
    var plan: FaultPlan? { state.withLock { $0.isClear } ? nil : faults }

    func clearUp() {
        state.withLock { $0 = State(isClear: true) }
    }

    func setDatabaseDown(_ isDown: Bool) {
        state.withLock { $0.isDatabaseDown = isDown && !$0.isClear }
    }

    struct StoreFate {
        var before: Duration
        var after: Duration
        var fault: StoreFault?
    }

    func storeFate(_ dice: Dice) -> StoreFate {
        var fate = StoreFate(
            before: dice.duration(in: .microseconds(300)...(.milliseconds(3))),
            after: dice.duration(in: .microseconds(300)...(.milliseconds(3)))
        )
        if state.withLock({ $0.isDatabaseDown }) {
            // A commit that was under way when it went down is as good as one that was not.
            fate.fault = dice.happens(0.1) ? dice.one(of: [.lostAfterCommit, .lostBeforeCommit]) : .unavailable
        }
        guard let plan else { return fate }
        if dice.happens(plan.lockWait) { fate.before += dice.duration(in: .milliseconds(20)...(.seconds(8))) }
        if dice.happens(plan.lockWait) { fate.after += dice.duration(in: .milliseconds(20)...(.seconds(8))) }
        if fate.fault == nil {
            if dice.happens(plan.storeUnavailable) {
                fate.fault = .unavailable
            } else if dice.happens(plan.commitAnswerLost) {
                fate.fault = .lostAfterCommit
            } else if dice.happens(plan.commitLost) {
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

    func publishFate(_ dice: Dice) -> PublishFate {
        var fate = PublishFate(
            before: dice.duration(in: .microseconds(200)...(.milliseconds(1))),
            after: dice.duration(in: .microseconds(200)...(.milliseconds(2)))
        )
        guard let plan else { return fate }
        if dice.happens(plan.lateConfirm) { fate.after += dice.duration(in: .milliseconds(50)...(.seconds(6))) }
        if dice.happens(plan.publishLost) {
            fate.fault = .lost
        } else if dice.happens(plan.confirmLost) {
            fate.fault = .lostConfirm
        } else if dice.happens(plan.publishRefused) {
            fate.fault = .refused
        }
        return fate
    }

    /// What the bank says to a question instead of the truth, now and then; `nil`: the truth.
    func lie(_ dice: Dice) -> BankAnswer? {
        guard let plan, dice.happens(plan.bankFault) else { return nil }
        let notFound = JSONValue.object(["error": .string("not_found"), "message": .string("no such thing")])
        return dice.one(of: [
            .noAnswer(reason: "connection_cut"),
            .response(BankResponse(status: 404, body: .json(notFound), date: Timestamp(microseconds: 0))),
            .response(BankResponse(status: 500, body: .text("it does not work"))),
        ])
    }

    func bank(_ operation: OperationKind, _ dice: Dice) -> BankWeather {
        var weather = BankWeather(latency: dice.duration(in: .milliseconds(5)...(.milliseconds(60))))
        guard let plan else { return weather }
        if dice.happens(plan.bankFault) { weather.fault = dice.one(of: plan.bankFaults) }
        weather.losesKey = dice.happens(plan.keyLoss)
        if dice.happens(plan.slowBank) { weather.latency = dice.duration(in: .milliseconds(100)...(.seconds(31))) }
        return weather
    }
}
