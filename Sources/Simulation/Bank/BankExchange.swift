package import Core
import Synchronization

/// One call on its way: its caller hears of it once, and of an answer that comes after it has given up, too.
final class BankExchange: Sendable {
    fileprivate struct State {
        var continuation: CheckedContinuation<BankAnswer, Never>?
        var early: BankAnswer?
        var isGivenUp = false
        var isOver = false
        var onEnd: (@Sendable (BankExchange) -> Void)?
    }

    private let state = Mutex(State())
    private let late: @Sendable (BankAnswer) -> Void

    init(late: @escaping @Sendable (BankAnswer) -> Void = { _ in }) {
        self.late = late
    }

    /// The call has ended, for whoever made it and for the bank.
    var isOver: Bool { state.withLock { $0.isOver } }

    func begin(_ continuation: CheckedContinuation<BankAnswer, Never>) {
        let early: BankAnswer? = state.withLock { state in
            if state.early == nil { state.continuation = continuation }
            return state.early
        }
        if let early { continuation.resume(returning: early) }
    }

    /// Called once when the call is over.
    func onEnd(_ action: @escaping @Sendable (BankExchange) -> Void) {
        state.withLock { $0.onEnd = action }
    }

    /// Its connection is gone, and so is whoever waited.
    func cut() {
        let answer = BankAnswer.noAnswer(reason: "connection_cut")
        let continuation = state.withLock { state in
            state.isOver = true
            state.onEnd = nil
            return state.take(answer)
        }
        continuation?.resume(returning: answer)
    }

    /// The caller waits no longer; the call goes on.
    func giveUp(reason: String) {
        let continuation: CheckedContinuation<BankAnswer, Never>? = state.withLock { state in
            guard !state.isOver, !state.isGivenUp else { return nil }
            state.isGivenUp = true
            return state.take(.noAnswer(reason: reason))
        }
        continuation?.resume(returning: .noAnswer(reason: reason))
    }

    func end(_ answer: BankAnswer) {
        let ending = state.withLock { state -> Ending? in
            guard !state.isOver else { return nil }
            state.isOver = true
            defer { state.onEnd = nil }
            let isLate = state.isGivenUp
            return Ending(continuation: isLate ? nil : state.take(answer), isLate: isLate, onEnd: state.onEnd)
        }
        guard let ending else { return }
        ending.onEnd?(self)
        ending.continuation?.resume(returning: answer)
        if ending.isLate { late(answer) }
    }

    private struct Ending {
        let continuation: CheckedContinuation<BankAnswer, Never>?
        let isLate: Bool
        let onEnd: (@Sendable (BankExchange) -> Void)?
    }
}

extension BankExchange.State {
    fileprivate mutating func take(_ answer: BankAnswer) -> CheckedContinuation<BankAnswer, Never>? {
        defer { continuation = nil }
        early = early ?? answer
        return continuation
    }
}

/// What goes wrong with one request to the bank; most names are those of the bank simulator
/// (docs/bank.md#the-bank-simulator).
package enum BankFault: Hashable, Sendable, CaseIterable {
    /// Executed, the key stored, and no answer within the client's patience.
    case timeoutAfterExecute
    /// The connection is cut before anything is executed.
    case dropBefore
    /// Executed, the key stored, and the connection cut.
    case dropAfter
    /// Executed, the key stored, and the answer is no JSON.
    case garbage
    /// 500 `internal_error`, before anything is executed.
    case error500
    /// 400 `internal_error`: its database is away (docs/correctness.md#codes-that-lie). Nothing is executed.
    case error400
    /// 400 with a code that is not true: its database gave a lock up (docs/correctness.md#codes-that-lie). Nothing is
    /// executed.
    case wrongCode
    /// Executed, and the connection cut before the key is stored: what becomes of a caller that hangs up.
    case cutAfterExecute
    /// Executed and answered, and the key is never stored.
    case loseKey
    /// Nobody listens: the request is never sent.
    case down
}

extension BankFault {
    /// What the bank says instead of doing anything.
    func lie(about operation: OperationKind) -> BankReplyBody? {
        switch self {
        case .error500: .error(500, "internal_error")
        case .error400: .error(400, "internal_error")
        case .wrongCode: .error(400, operation == .authorize ? "invalid_card" : "authorization_not_found")
        case .timeoutAfterExecute, .dropBefore, .dropAfter, .cutAfterExecute, .garbage, .loseKey, .down: nil
        }
    }
}

/// What befalls one request.
package struct BankBehavior: Sendable {
    package var fault: BankFault?
    /// Besides: whatever is executed, its key is not stored (docs/bank.md#the-bank-simulator).
    package var losesKey = false
    /// Until it is executed.
    package var latency: Duration

    package init(fault: BankFault? = nil, latency: Duration) {
        self.fault = fault
        self.latency = latency
    }
}

/// One effect, in the order of execution.
package struct BankLedgerEntry: Hashable, Sendable {
    package let operation: OperationKind
    /// The effect's own id.
    package let id: String
    package let authorizationID: String
    package let amount: Int64
    package let idempotencyKey: String
    package let executedAt: Timestamp
}

/// One request, as the bank received it.
package struct BankRequestRecord: Hashable, Sendable {
    package let operation: OperationKind
    package let idempotencyKey: String
    package let at: Timestamp
    package let fault: BankFault?
}
