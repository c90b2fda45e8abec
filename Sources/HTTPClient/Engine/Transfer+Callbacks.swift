import CCurl

/// What libcurl calls while it works on the transfer. All of it runs on the engine's thread.
extension Transfer {
    func setCallbacks() throws(HTTPError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        try check(ccurl_set_pointer(easy, CURLOPT_PRIVATE, context))
        try check(ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context))
        try check(ccurl_set_pointer(easy, CURLOPT_HEADERDATA, context))
        try check(ccurl_set_pointer(easy, CURLOPT_PREREQDATA, context))
        try check(ccurl_set_pointer(easy, CURLOPT_SOCKOPTDATA, context))
        let onBody: ccurl_data_callback = { bytes, size, count, context in
            let bytes = UnsafeRawBufferPointer(start: bytes, count: size * count)
            guard let transfer = Transfer.behind(context) else { return 0 }
            // Anything but the full count ends the transfer and its connection.
            return transfer.answer.takeBody(bytes) ? bytes.count : bytes.count &+ 1
        }
        let onHeader: ccurl_data_callback = { bytes, size, count, context in
            let bytes = UnsafeRawBufferPointer(start: bytes, count: size * count)
            guard let transfer = Transfer.behind(context) else { return 0 }
            return transfer.answer.takeHeaderLine(bytes) ? bytes.count : bytes.count &+ 1
        }
        try check(ccurl_set_data_callback(easy, CURLOPT_WRITEFUNCTION, onBody))
        try check(ccurl_set_data_callback(easy, CURLOPT_HEADERFUNCTION, onHeader))
        try check(
            ccurl_set_prereq_callback(easy) { context, _, _, _, localPort in
                guard let transfer = Transfer.behind(context) else { return Int32(CURL_PREREQFUNC_ABORT) }
                return transfer.maySend(localPort: localPort) ? Int32(CURL_PREREQFUNC_OK) : Int32(CURL_PREREQFUNC_ABORT)
            }
        )
        try check(
            ccurl_set_sockopt_callback(easy) { context, socket, _ in
                guard let transfer = Transfer.behind(context) else { return Int32(CURL_SOCKOPT_ERROR) }
                return transfer.mayOpen(socket) ? Int32(CURL_SOCKOPT_OK) : Int32(CURL_SOCKOPT_ERROR)
            }
        )
        if connections.hooks != nil { try setCloseCallback() }
    }

    /// A connection remembers the callback and its context of the transfer that opened it, and outlives the transfer: the
    /// context is the register.
    private func setCloseCallback() throws(HTTPError) {
        try check(
            ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(connections).toOpaque())
        )
        try check(
            ccurl_set_closesocket_callback(easy) { context, socket in
                guard let context else { return -1 }
                return Unmanaged<ConnectionRegister>.fromOpaque(context).takeUnretainedValue().close(socket)
            }
        )
    }

    /// Asked each time libcurl has a connection and is about to write the request to it.
    ///
    /// Here it is decided that a request is sent once. Left alone, libcurl sends it again, up to five times, when a connection
    /// that was used before ends without an answer (`Curl_retry_request`), and after some answers. Every way back to
    /// writing a request leads through this question, and the second time the answer is no.
    private func maySend(localPort: Int32) -> Bool {
        guard !wasSent else { return false }
        if openedSockets.isEmpty {
            guard !connections.isDirty(localPort: localPort) else {
                metDirtyConnection = true
                return false
            }
        } else if let socket = openedSockets.first(where: { ConnectionRegister.localPort(of: $0) == localPort }) {
            connections.register(socket, localPort: localPort)
        }
        if let tag = pending?.request.tag { taggedConnection = connections.request(tag, localPort: localPort) }
        wasSent = true
        return true
    }

    /// Asked for each new socket. After sending there is nothing a new connection could be for.
    private func mayOpen(_ socket: Int32) -> Bool {
        openedSockets.append(socket)
        return !wasSent
    }

    /// The transfer whose address libcurl was given.
    static func behind(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}
