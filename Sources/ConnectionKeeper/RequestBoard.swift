import Glibc

/// What each held connection is used for at the moment, in memory that the keeper shares with its owner: written without a system
/// call, and read after the owner's death.
///
/// The owner writes from one thread at a time. A slot whose writer died half-way has no id, and is not read. That is why it is
/// `@unchecked Sendable` without a lock: a lock in shared memory could be held by the dead. A slot is written before its request is
/// sent, so whatever a death leaves in it, no answer comes for a request that was not.
package final class RequestBoard: @unchecked Sendable {
    /// Of every tag.
    package static let tagByteCount = 40

    private enum Layout {
        static let note = 4_096
        static let slots = 4_096
        static let slot = 64
        static let byteCount = note + slots * slot
    }

    private let memory: UnsafeMutableRawPointer
    let descriptor: Int32

    /// The owner's.
    ///
    /// - Parameter note: for whoever reads the board after the owner's death; at most 4,088 bytes are kept.
    /// - Throws: `ConnectionKeeperError.noBoard`.
    init(note: [UInt8]) throws(ConnectionKeeperError) {
        // Its name is gone at once. In memory, never on a disk.
        let name = "/payments-board-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let low = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
        guard low >= 0 else { throw .noBoard(errno: errno) }
        shm_unlink(name)
        defer { close(low) }
        // Out of the way of the places that a child's descriptors get (`KeeperSpawn`).
        let descriptor = fcntl(low, F_DUPFD_CLOEXEC, 10)
        guard descriptor >= 0 else { throw .noBoard(errno: errno) }
        guard ftruncate(descriptor, Layout.byteCount) == 0, let memory = Self.map(descriptor) else {
            let error = errno
            close(descriptor)
            throw .noBoard(errno: error)
        }
        self.descriptor = descriptor
        self.memory = memory
        let kept = note.prefix(Layout.note - 8)
        memory.storeBytes(of: kept.count, as: Int.self)
        memory.advanced(by: 8).copyMemory(from: Array(kept), byteCount: kept.count)
    }

    /// The keeper's, of a descriptor that it has inherited and that is closed here. `nil` where that is no board.
    init?(inherited descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size == Layout.byteCount, let memory = Self.map(descriptor)
        else { return nil }
        close(descriptor)
        self.descriptor = -1
        self.memory = memory
    }

    deinit {
        munmap(memory, Layout.byteCount)
        if descriptor >= 0 { close(descriptor) }
    }

    package var note: [UInt8] {
        let count = min(max(memory.load(as: Int.self), 0), Layout.note - 8)
        return Array(UnsafeRawBufferPointer(start: memory + 8, count: count))
    }

    /// - Parameter tag: of `tagByteCount` bytes.
    package func write(_ tag: [UInt8], id: UInt64) {
        guard tag.count == Self.tagByteCount else { return }
        erase(id: id)
        slot(id).advanced(by: 8).copyMemory(from: tag, byteCount: tag.count)
        slot(id).storeBytes(of: id, as: UInt64.self)
    }

    package func erase(id: UInt64) {
        slot(id).storeBytes(of: 0, as: UInt64.self)
    }

    func tag(id: UInt64) -> [UInt8]? {
        guard id != 0, slot(id).load(as: UInt64.self) == id else { return nil }
        return Array(UnsafeRawBufferPointer(start: slot(id) + 8, count: Self.tagByteCount))
    }

    private func slot(_ id: UInt64) -> UnsafeMutableRawPointer {
        memory + Layout.note + Int(id % UInt64(Layout.slots)) * Layout.slot
    }

    private static func map(_ descriptor: Int32) -> UnsafeMutableRawPointer? {
        let memory = mmap(nil, Layout.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        return memory == MAP_FAILED ? nil : memory
    }
}
