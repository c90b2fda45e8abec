import Core
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
