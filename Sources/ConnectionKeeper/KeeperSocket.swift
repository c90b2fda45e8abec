import Glibc

/// One end of the socket between a process and its keeper: packets, of which each may carry a duplicate of a descriptor.
/// Neither end ever blocks.
struct KeeperSocket {
    enum Sending: Equatable {
        case sent
        /// The other end does not read, or the kernel has no room for more descriptors on their way.
        case full
        /// There is no other end any more.
        case ended
    }

    enum Reception: Equatable {
        case message(KeeperMessage, descriptor: Int32?)
        case nothingYet
        /// The other end is closed, and everything it had sent has been received.
        case ended
    }

    let descriptor: Int32

    /// The kernel's words around one descriptor (`struct cmsghdr`, whose macros Swift does not import).
    private enum Control {
        static let byteCount = 24
        static let length = 20
        static let descriptorOffset = 16
    }

    /// A pair of connected ends, closed on exec.
    ///
    /// - Throws: `ConnectionKeeperError.noSocket`.
    static func pair() throws(ConnectionKeeperError) -> (KeeperSocket, KeeperSocket) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw .noSocket(errno: errno) }
        return (KeeperSocket(descriptor: ends[0]), KeeperSocket(descriptor: ends[1]))
    }

    func send(_ message: KeeperMessage, descriptor passed: Int32? = nil) -> Sending {
        let error: Int32? = withHeader { header, bytes, control in
            message.write(to: bytes)
            if let passed {
                control.storeBytes(of: Control.length, as: Int.self)
                control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
                control.storeBytes(of: Int32(SCM_RIGHTS), toByteOffset: 12, as: Int32.self)
                control.storeBytes(of: passed, toByteOffset: Control.descriptorOffset, as: Int32.self)
            } else {
                header.msg_control = nil
                header.msg_controllen = 0
            }
            let count = sendmsg(descriptor, &header, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            return count < 0 ? errno : nil
        }
        switch error {
        case nil: return .sent
        case EPIPE, ECONNRESET, ENOTCONN, ECONNREFUSED: return .ended
        default: return .full
        }
    }

    /// What is no message is passed over, with its descriptor.
    func receive() -> Reception {
        while true {
            let (count, error, passed, message) = withHeader { header, bytes, control in
                let count = recvmsg(descriptor, &header, Int32(MSG_DONTWAIT | MSG_CMSG_CLOEXEC))
                let error = errno
                let passed =
                    count > 0 && header.msg_controllen >= Control.length
                    ? control.loadUnaligned(fromByteOffset: Control.descriptorOffset, as: Int32.self) : nil
                return (
                    count, error, passed, KeeperMessage(UnsafeRawBufferPointer(rebasing: bytes.prefix(max(count, 0))))
                )
            }
            guard count > 0 else { return count < 0 && [EAGAIN, EINTR].contains(error) ? .nothingYet : .ended }
            if let message { return .message(message, descriptor: passed) }
            if let passed { close(passed) }
        }
    }

    private func withHeader<Result>(
        _ body: (inout msghdr, UnsafeMutableRawBufferPointer, UnsafeMutableRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: KeeperMessage.byteCount, alignment: 8) { bytes in
            withUnsafeTemporaryAllocation(byteCount: Control.byteCount, alignment: 8) { control in
                control.initializeMemory(as: UInt8.self, repeating: 0)
                var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var header = msghdr()
                    header.msg_iov = vector
                    header.msg_iovlen = 1
                    header.msg_control = control.baseAddress
                    header.msg_controllen = control.count
                    return body(&header, bytes, control)
                }
            }
        }
    }
}

/// What the keeper is told, one message a packet.
enum KeeperMessage: Equatable {
    /// Comes with a descriptor.
    case hold(id: UInt64)
    case release(id: UInt64)

    static let byteCount = 16

    /// Kind and id, in the byte order of the machine: both ends are on the same one.
    func write(to bytes: UnsafeMutableRawBufferPointer) {
        let (kind, id): (UInt64, UInt64) =
            switch self {
            case .hold(let id): (1, id)
            case .release(let id): (2, id)
            }
        bytes.storeBytes(of: kind, as: UInt64.self)
        bytes.storeBytes(of: id, toByteOffset: 8, as: UInt64.self)
    }

    /// `nil` for what is no message.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        let id = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        switch bytes.loadUnaligned(as: UInt64.self) {
        case 1: self = .hold(id: id)
        case 2: self = .release(id: id)
        default: return nil
        }
    }
}
