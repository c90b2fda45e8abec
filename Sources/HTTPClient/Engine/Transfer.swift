import CCurl

/// One easy handle and the exchange it is used for; used again for the next one.
///
/// libcurl holds its address (`CURLOPT_PRIVATE` and the callback data), unretained: the engine keeps every transfer until
/// its handle is freed, and frees it outside libcurl's callbacks.
final class Transfer {
    let easy: UnsafeMutableRawPointer
    let connections: ConnectionRegister

    /// The call this exchange is for; `nil` between two exchanges.
    private(set) var pending: PendingRequest?
    var answer: AnswerAssembly

    /// Set when libcurl is about to write the first byte of the request. From here on nothing may be sent again.
    var wasSent = false

    /// An idle connection turned out to hold bytes nobody asked for; nothing was sent on it.
    var metDirtyConnection = false

    /// The sockets opened for this exchange; empty when it goes over a connection that was there before.
    var openedSockets: [Int32] = []

    /// The connection whose hooks have been told of the request.
    var taggedConnection: UInt64?

    private let maxResponseBytes: Int
    private var headerList: UnsafeMutablePointer<curl_slist>?

    init(configuration: HTTPClientConfiguration, connections: ConnectionRegister) throws(HTTPError) {
        guard let easy = curl_easy_init() else { throw HTTPError(.outOfResources, outcomeUnknown: false) }
        self.easy = easy
        self.connections = connections
        maxResponseBytes = configuration.maxResponseBytes
        answer = AnswerAssembly(maxBodyBytes: maxResponseBytes)
        try setUp(configuration)
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
    }

    /// Takes over the call and sets the handle up for its request.
    func prepare(_ pending: PendingRequest) throws(HTTPError) {
        self.pending = pending
        try setRequest(pending.request)
        try setHeaders(pending.request)
        try prepareAttempt(freshConnection: false)
    }

    /// Sets up for an attempt, the first or (nothing having been sent) another one, with the time that is left.
    func prepareAttempt(freshConnection: Bool) throws(HTTPError) {
        guard let pending else { return }
        answer = AnswerAssembly(maxBodyBytes: maxResponseBytes)
        wasSent = false
        metDirtyConnection = false
        openedSockets.removeAll(keepingCapacity: true)
        let now = ContinuousClock.now
        guard pending.deadline > now else { throw HTTPError(.timedOut, outcomeUnknown: false) }
        try set(CURLOPT_TIMEOUT_MS, now.duration(to: pending.limit).milliseconds)
        try set(CURLOPT_FRESH_CONNECT, freshConnection ? 1 : 0)
    }

    /// What libcurl's code means for this exchange.
    func error(of result: CURLcode) -> HTTPError {
        var errno = 0
        var verification = 0
        _ = ccurl_get_long(easy, CURLINFO_OS_ERRNO, &errno)
        _ = ccurl_get_long(easy, CURLINFO_SSL_VERIFYRESULT, &verification)
        return HTTPError(result, wasSent: wasSent, errno: errno, verification: verification)
    }

    /// Ends the caller's wait, not the exchange.
    func dismissCaller(_ code: HTTPError.Code) {
        pending?.dismissCaller(HTTPError(code, outcomeUnknown: true))
    }

    /// Ends the call, and leaves the exchange as it stands: for a handle that is never used again.
    func abandon() {
        defer { pending = nil }
        pending?.finish(.failure(HTTPError(.shutDown, outcomeUnknown: true)))
    }

    /// Forgets the exchange, its body and header included, and gives the call back.
    func release() -> PendingRequest? {
        defer { pending = nil }
        if let id = taggedConnection { connections.answered(id) }
        taggedConnection = nil
        answer = AnswerAssembly(maxBodyBytes: maxResponseBytes)
        _ = ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, nil)
        _ = ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, nil)
        curl_slist_free_all(headerList)
        headerList = nil
        return pending
    }

    /// Appends one line to the header of the request.
    func appendHeaderLine(_ line: String) throws(HTTPError) {
        guard let longer = curl_slist_append(headerList, line) else {
            throw HTTPError(.outOfResources, outcomeUnknown: false)
        }
        headerList = longer
    }

    func installHeaderLines() throws(HTTPError) {
        try check(ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, headerList))
    }
}

extension Duration {
    /// Rounded up, at least 1 (libcurl takes 0 for "no limit"), and within what a C `long` of milliseconds may be.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds < Int64(Int32.max) / 1000 else { return Int(Int32.max) }
        return max(1, Int(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}

extension Transfer {
    /// What holds for every exchange.
    func setUp(_ configuration: HTTPClientConfiguration) throws(HTTPError) {
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_FOLLOWLOCATION, 0)
        // The environment does not decide where card data goes.
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_NOPROXY, "*")
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        // Whatever libcurl can decode. That we ask for nothing allows the server any coding (RFC 9110 §12.5.3).
        try set(CURLOPT_ACCEPT_ENCODING, "")
        if let caFile = configuration.caFile {
            try set(CURLOPT_CAINFO, caFile)
            // A file that was renewed counts from the next connection on.
            try set(CURLOPT_CA_CACHE_TIMEOUT, 0)
        }
        if let certFile = configuration.certFile { try set(CURLOPT_SSLCERT, certFile) }
        if let keyFile = configuration.keyFile { try set(CURLOPT_SSLKEY, keyFile) }
        try set(CURLOPT_USERAGENT, configuration.userAgent)
        try set(CURLOPT_CONNECTTIMEOUT_MS, configuration.connectTimeout.milliseconds)
        try set(CURLOPT_MAXAGE_CONN, max(1, Int(configuration.idleTimeout.components.seconds)))
        try set(CURLOPT_TCP_NODELAY, 1)
        // Each handle has one. What is asked here is answered with a few hundred bytes; 16 KiB is the usual.
        try set(CURLOPT_BUFFERSIZE, 4_096)
        // Without it, a name being looked up when its time is over would hold up the thread until the look-up ends.
        try set(CURLOPT_QUICK_EXIT, 1)
        try setCallbacks()
    }

    func setRequest(_ request: HTTPRequest) throws(HTTPError) {
        try set(CURLOPT_URL, request.url)
        if request.hasNoBody && !request.method.announcesEmptyBody {
            try set(CURLOPT_HTTPGET, 1)
        } else {
            let body = request.body ?? []
            try set(CURLOPT_POST, 1)
            try check(ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
            // libcurl keeps a copy, so that no pointer into `body` outlives this call. For no bytes it wants a pointer too.
            let result = body.withUnsafeBytes { bytes in
                bytes.isEmpty
                    ? ccurl_set_string(easy, CURLOPT_COPYPOSTFIELDS, "")
                    : ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress)
            }
            try check(result)
        }
        try check(ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method.rawValue))
    }

    func setHeaders(_ request: HTTPRequest) throws(HTTPError) {
        // Never asked for permission first: it costs a round trip, and a 417 makes libcurl send the request again.
        try appendHeaderLine("Expect:")
        for name in ["Content-Type", "Accept-Encoding"]
        where !request.headers.contains(where: { HTTPHeaders.matches($0.name, name) }) {
            try appendHeaderLine("\(name):")
        }
        for header in request.headers {
            // "Name:" would remove the field, "Name;" sends it empty.
            try appendHeaderLine(header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        try installHeaderLines()
    }

    func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
        try check(ccurl_set_long(easy, option, value))
    }

    func set(_ option: CURLoption, _ value: String) throws(HTTPError) {
        try check(ccurl_set_string(easy, option, value))
    }

    func check(_ result: CURLcode) throws(HTTPError) {
        guard result == CURLE_OK else {
            throw HTTPError(.outOfResources, outcomeUnknown: false, curlCode: Int(result.rawValue))
        }
    }
}

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
