import Glibc

/// A duplicate of a connection's descriptor, and what its server has said since the owner's death.
struct HeldConnection {
    let id: UInt64
    let descriptor: Int32
    private var beginning: [UInt8] = []

    init(id: UInt64, descriptor: Int32) {
        self.id = id
        self.descriptor = descriptor
    }

    /// Reads what has come and forgets it, so that the server never waits for room. False when the server has closed the
    /// connection, or has begun a final answer in plain HTTP.
    ///
    /// What comes over TLS may be an answer or anything else: such a connection is held on.
    mutating func readOn() -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 1) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return count < 0 && [EAGAIN, EINTR].contains(errno) }
            beginning += buffer.prefix(min(count, AnswerBeginning.byteCount - beginning.count))
            return !AnswerBeginning.isFinal(beginning)
        }
    }
}
