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
