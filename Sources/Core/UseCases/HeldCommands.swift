import Synchronization

/// The commands that this process has taken and that the store does not know of yet: neither claimed nor among those that wait.
///
/// A queue that this process stops reading is read by another one at once. What follows there must find the earlier commands of its
/// payment in the store, or it overtakes them: so what is held gets its place first (`placeAll`).
final class HeldCommands: Sendable {
    private enum Stage {
        /// Behind another command of its payment, or before the bank's door.
        case held
        /// On its way to the store.
        case placing
        /// The store has been asked to keep its place, by `placeAll`.
        case registered
    }

    private struct State {
        var last: UInt64 = 0
        var entries: [UInt64: (command: Command, stage: Stage)] = [:]
        /// Of those who wait for any change.
        var waiters: [CheckedContinuation<Void, Never>] = []

        func isOnItsWay(_ number: UInt64) -> Bool { entries[number]?.stage == .placing }

        /// Whether a command of that payment which came before is on its way.
        func isAnyOnItsWay(to payment: PaymentID, before number: UInt64) -> Bool {
            entries.contains { $0.key < number && $0.value.stage == .placing && $0.value.command.paymentID == payment }
        }
    }

    private let state = Mutex(State())

    /// A command that is held. Must be let go of.
    struct Hold: Sendable {
        fileprivate let commands: HeldCommands
        fileprivate let number: UInt64

        /// Asks the store to claim or register the command, after which it is held no longer, whatever came of it.
        func place<Value: Sendable, Failure: Error>(
            _ body: () async throws(Failure) -> Value
        ) async throws(Failure) -> Value {
            await commands.beginPlacing(number)
            defer { letGo() }
            return try await body()
        }

        /// Lets go of a command that need not be placed.
        ///
        /// - Returns: false where `placeAll` has seen to it: then the store must be asked to decide it, which ends its place.
        func withdraw() -> Bool {
            let isHeld = commands.change { $0.entries[number]?.stage == .held }
            if isHeld { letGo() }
            return isHeld
        }

        func letGo() { commands.change { $0.entries[number] = nil } }
    }

    /// Synchronous, so that the order is the caller's.
    func hold(_ command: Command) -> Hold {
        state.withLock { state in
            state.last += 1
            state.entries[state.last] = (command, .held)
            return Hold(commands: self, number: state.last)
        }
    }

    /// Gives everything held now its place, commands of one payment in the order of their arrival.
    ///
    /// - Parameter register: stores the place of a command, and tells whether it did. Where it did not, the command goes on without one.
    /// - Returns: whether all of them have one.
    func placeAll(_ register: @escaping @Sendable (Command) async -> Bool) async -> Bool {
        let (held, underWay) = change { state in
            let numbers = state.entries.keys.sorted()
            let held = numbers.filter { state.entries[$0]?.stage == .held }
            for number in held { state.entries[number]?.stage = .placing }
            return (held.compactMap { number in state.entries[number].map { (number, $0.command) } }, numbers)
        }
        let areAllPlaced = await withTaskGroup(of: Bool.self) { group in
            for line in Self.byPayment(held) {
                group.addTask {
                    var areAllPlaced = true
                    for (number, command) in line {
                        // One that its own task has sent to the store gets there first.
                        await self.wait { !$0.isAnyOnItsWay(to: command.paymentID, before: number) }
                        // Cut short: it goes on without a place, rather than before the other.
                        let isCut = Task.isCancelled
                        let isPlaced = isCut ? false : await register(command)
                        if !isPlaced { areAllPlaced = false }
                        self.change { $0.entries[number]?.stage = isCut ? .held : .registered }
                    }
                    return areAllPlaced
                }
            }
            return await group.reduce(true) { $0 && $1 }
        }
        // What its own task has sent to the store is awaited, too.
        await wait { state in !underWay.contains { state.isOnItsWay($0) } }
        return areAllPlaced
    }

    private static func byPayment(_ held: [(UInt64, Command)]) -> [[(UInt64, Command)]] {
        var lines: [[(UInt64, Command)]] = []
        var lineOfPayment: [PaymentID: Int] = [:]
        for entry in held {
            if let line = lineOfPayment[entry.1.paymentID] {
                lines[line].append(entry)
            } else {
                lineOfPayment[entry.1.paymentID] = lines.count
                lines.append([entry])
            }
        }
        return lines
    }

    private func beginPlacing(_ number: UInt64) async {
        // Where `placeAll` is at it, that comes first: the claim must find the place to end it.
        await wait { !$0.isOnItsWay(number) }
        change { $0.entries[number]?.stage = .placing }
    }

    // MARK: Changes

    @discardableResult
    private func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        let (value, waiters) = state.withLock { state in
            let value = body(&state)
            defer { state.waiters = [] }
            return (value, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        return value
    }

    /// Returns when it is so, or the task is cancelled.
    private func wait(until isSo: @Sendable (State) -> Bool) async {
        if state.withLock({ isSo($0) }) { return }
        while !Task.isCancelled {
            let isOver = await withTaskCancellationHandler {
                await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
                    let isOver = state.withLock { state in
                        if Task.isCancelled || isSo(state) { return true }
                        state.waiters.append(waiter)
                        return false
                    }
                    if isOver { waiter.resume() }
                }
                return state.withLock { isSo($0) }
            } onCancel: {
                // All look again; the others go on waiting.
                change { _ in }
            }
            if isOver { return }
        }
    }
}
