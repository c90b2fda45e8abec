import Core
import Synchronization

/// Watches that a processor that starts while the bank is unavailable sends nothing but one command at a time
/// (docs/correctness.md#starting-in-an-outage).
package final class NewcomerWitness: Sendable {
    private struct State {
        var isDown = false
        /// Since when each process that started during the outage has been there, and how many commands it has sent.
        var newcomers: [Int: (since: Duration, sends: Int)] = [:]
        var rushes: [String] = []
    }

    private let time: VirtualTime
    private let state = Mutex(State())

    /// Between two tries of a breaker that begins open, at the least.
    private static let pause = Duration.seconds(2)

    init(time: VirtualTime) {
        self.time = time
    }

    var rushes: [String] { state.withLock { $0.rushes } }

    func setDown(_ isDown: Bool) {
        state.withLock { state in
            state.isDown = isDown
            state.newcomers = [:]
        }
    }

    func noteStart(of process: Int) {
        let now = time.uptime()
        state.withLock { state in
            if state.isDown { state.newcomers[process] = (now, 0) }
        }
    }

    func noteSend(by process: Int) {
        let now = time.uptime()
        state.withLock { state in
            guard var newcomer = state.newcomers[process] else { return }
            newcomer.sends += 1
            state.newcomers[process] = newcomer
            let allowed = 1 + Int((now - newcomer.since) / Self.pause)
            guard newcomer.sends > allowed else { return }
            state.newcomers[process] = nil
            state.rushes.append("process \(process) sent \(newcomer.sends) to a bank that was unavailable at its start")
        }
    }
}
