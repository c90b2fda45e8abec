import Glibc

/// Why a connection cannot be made, in the system's words. librabbitmq says only that there was an error of the socket; so it is tried
/// once more, for the number of the error.
struct ConnectFailure: CustomStringConvertible {
    let description: String

    /// Blocks for a second at most.
    init(_ address: AMQPAddress) {
        guard let error = Self.errorNumber(address) else {
            description = "no connection to \(address)"
            return
        }
        switch error {
        case ECONNREFUSED: description = "connection refused by \(address)"
        default:
            let words = String(cString: strerror(error))
            description = "\(words.prefix(1).lowercased())\(words.dropFirst()), \(address)"
        }
    }

    /// Of the last of the host's addresses, as the library tries them; `nil` where there was none this time.
    private static func errorNumber(_ address: AMQPAddress) -> Int32? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, "\(address.port)", &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var error: Int32?
        var next = list
        while let candidate = next {
            error = connect(candidate.pointee)
            if error == nil { return nil }
            next = candidate.pointee.ai_next
        }
        return error
    }

    private static func connect(_ candidate: addrinfo) -> Int32? {
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(candidate.ai_family, flags, candidate.ai_protocol)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        if Glibc.connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 { return nil }
        guard errno == EINPROGRESS else { return errno }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&waiting, 1, 1_000) > 0 else { return ETIMEDOUT }
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        return error == 0 ? nil : error
    }
}
