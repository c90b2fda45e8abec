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

    /// What to wait for, in the order of `look`. A connection that is dead in both directions is always told.
    func interests(reading: Bool) -> [pollfd] {
        held.map { pollfd(fd: $0.descriptor, events: reading ? Int16(POLLIN) : 0, revents: 0) }
    }

    /// Lets go of those that are dead, be it that their owner shut them down and could not tell. With `reading`, also of
    /// those that their server has closed or answered.
    mutating func look(at polled: ArraySlice<pollfd>, reading: Bool) {
        var kept: [HeldConnection] = []
        kept.reserveCapacity(held.count)
        for (var connection, state) in zip(held, polled) {
            let isDone = state.revents != 0 && !(reading && connection.readOn())
            if isDone { close(connection.descriptor) } else { kept.append(connection) }
        }
        held = kept
    }
}
