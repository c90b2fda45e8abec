import CCurl

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
