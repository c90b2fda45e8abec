import Glibc

/// A duplicate of a connection's descriptor, and what its server has said since the owner's death.
struct HeldConnection {
    let id: UInt64
    let descriptor: Int32
    private var answer = AnswerBytes()

    init(id: UInt64, descriptor: Int32) {
        self.id = id
        self.descriptor = descriptor
    }

    /// What has become of it.
    enum Reading: Equatable {
        case open
        /// The server has closed the connection, or has begun a final answer that cannot be read.
        case ended
        case answered(status: Int, body: [UInt8])
    }

    /// Reads what has come, so that the server never waits for room.
    ///
    /// What comes over TLS may be an answer or anything else: such a connection is held on.
    mutating func readOn() -> Reading {
        withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 1) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return count < 0 && [EAGAIN, EINTR].contains(errno) ? .open : .ended }
            answer.append(buffer.prefix(count))
            return switch answer.state {
            case .open: .open
            case .unreadable: .ended
            case .whole(let status, let body): .answered(status: status, body: body)
            }
        }
    }
}
