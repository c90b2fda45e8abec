import Glibc

/// The duplicates that a keeper holds, and what becomes of each.
struct HeldConnections: ~Copyable {
    /// More are not held: theirs ends with its owner, as it would without a keeper.
    private let limit: Int
    private var held: [HeldConnection] = []

    init(limit: Int) {
        self.limit = limit
    }

    deinit {
        for connection in held { close(connection.descriptor) }
    }

    var count: Int { held.count }
    var isEmpty: Bool { held.isEmpty }

    /// Takes over the descriptor. One that is held under the same id is closed.
    mutating func add(_ descriptor: Int32, id: UInt64) {
        release(id)
        guard held.count < limit else {
            close(descriptor)
            return
        }
        held.append(HeldConnection(id: id, descriptor: descriptor))
    }

    mutating func release(_ id: UInt64) {
        guard let index = held.firstIndex(where: { $0.id == id }) else { return }
        close(held.remove(at: index).descriptor)
    }

    /// What to wait for, in the order of `check`. A connection that is dead in both directions is always told.
    func interests(reading: Bool) -> [pollfd] {
        held.map { pollfd(fd: $0.descriptor, events: reading ? Int16(POLLIN) : 0, revents: 0) }
    }

    /// Lets go of those that are dead, be it that their owner shut them down and could not tell.
    mutating func check(at polled: ArraySlice<pollfd>) {
        keep(polled) { _ in false }
    }

    /// Lets go of those that their server has closed or answered.
    ///
    /// - Parameter onAnswer: told of each answer that could be read, and on which connection.
    mutating func read(_ polled: ArraySlice<pollfd>, onAnswer: (_ id: UInt64, _ status: Int, _ body: [UInt8]) -> Void) {
        keep(polled) { connection in
            switch connection.readOn() {
            case .open: return true
            case .ended: return false
            case .answered(let status, let body):
                onAnswer(connection.id, status, body)
                return false
            }
        }
    }

    /// - Parameter isKept: asked for those where something has happened.
    private mutating func keep(_ polled: ArraySlice<pollfd>, where isKept: (inout HeldConnection) -> Bool) {
        var kept: [HeldConnection] = []
        kept.reserveCapacity(held.count)
        for (var connection, state) in zip(held, polled) {
            if state.revents == 0 || isKept(&connection) {
                kept.append(connection)
            } else {
                close(connection.descriptor)
            }
        }
        held = kept
    }
}
