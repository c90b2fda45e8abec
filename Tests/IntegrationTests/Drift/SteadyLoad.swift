import Core
import Synchronization
import TestSupport
import Testing

/// Authorizes, each of a payment of its own, one after the other as long as it runs: none of them needs the retry tiers.
final class SteadyLoad: Sendable {
    private let world: World
    private let sent = Mutex<[TestCommand]>([])
    private let isStopped = Mutex(false)
    private let task = Mutex<Task<Void, any Error>?>(nil)

    init(_ world: World) {
        self.world = world
    }

    var commands: [TestCommand] { sent.withLock { $0 } }

    func start() {
        let task = Task { [self] in
            while !isStopped.withLock({ $0 }) {
                let command = TestCommand.authorize()
                try await world.send(command)
                sent.withLock { $0.append(command) }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        self.task.withLock { $0 = task }
    }

    /// Waits until so many more have been sent and answered.
    func goesOn(_ count: Int = 10) async throws {
        let known = commands.count
        try await world.comesTrueOrThrows("\(count) more commands were answered") {
            let later = commands.dropFirst(known).prefix(count)
            return later.count == count
                && later.allSatisfy { world.upstream.replies(to: $0.correlation).contains(where: \.isFinal) }
        }
    }

    func stop() async throws {
        // Not cancelled: what is being sent is sent.
        isStopped.withLock { $0 = true }
        try await task.withLock { $0 }?.value
    }
}

extension World {
    fileprivate func comesTrueOrThrows(_ what: String, _ condition: () async throws -> Bool) async throws {
        try await eventually(what, within: .seconds(60), context: { allProcessors.last?.child.lastWords ?? "" }) {
            try await condition()
        }
    }
}
