import Core
import Synchronization

/// One request on its way: ends once, with whatever comes first.
final class BankExchange: Sendable {
    private struct State {
        var continuation: CheckedContinuation<BankAnswer, Never>?
        var early: BankAnswer?
    }

    private let state = Mutex(State())

    func begin(_ continuation: CheckedContinuation<BankAnswer, Never>) {
        let early: BankAnswer? = state.withLock { state in
            if state.early == nil { state.continuation = continuation }
            return state.early
        }
        if let early { continuation.resume(returning: early) }
    }

    func end(_ answer: BankAnswer) {
        let continuation: CheckedContinuation<BankAnswer, Never>? = state.withLock { state in
            defer { state.continuation = nil }
            state.early = state.early ?? answer
            return state.continuation
        }
        continuation?.resume(returning: answer)
    }
}
