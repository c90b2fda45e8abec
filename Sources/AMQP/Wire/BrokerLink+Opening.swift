import CRabbitMQ
import Glibc
import TLSProbe
import ThreadExecutor

extension BrokerLink {
    /// Debian's bundle, and that of the images made from it.
    fileprivate static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    func open(_ configuration: AMQPConfiguration) throws(AMQPError) {
        guard let socket = configuration.usesTLS ? amqp_ssl_socket_new(state) : amqp_tcp_socket_new(state) else {
            throw AMQPError(.connectFailed, problem: "out of memory")
        }
        if configuration.usesTLS { try prepareTLS(socket, configuration) }
        var timeout = timeval(configuration.connectTimeout)
        let status = amqp_socket_open_noblock(socket, configuration.host, Int32(configuration.port), &timeout)
        guard status == AMQP_STATUS_OK.rawValue else {
            throw .opening(status, configuration.addresses[0]).explained(configuration)
        }
    }

    private func prepareTLS(_ socket: OpaquePointer, _ configuration: AMQPConfiguration) throws(AMQPError) {
        amqp_ssl_socket_set_verify_peer(socket, 1)
        // The library compares names only, OpenSSL addresses, too.
        amqp_ssl_socket_set_verify_hostname(socket, 0)
        guard let context = amqp_ssl_socket_get_context(socket), TLSProbe.expect(configuration.host, in: context) else {
            throw AMQPError(.tlsFailed, problem: "the certificate's name cannot be checked")
        }
        guard amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) == 0 else {
            throw AMQPError(.tlsFailed, problem: "TLS 1.2 is not available")
        }
        guard amqp_ssl_socket_set_cacert(socket, configuration.caFile ?? Self.systemAuthorities) == 0 else {
            throw AMQPError(.tlsFailed, problem: "the CA file cannot be used")
        }
        switch (configuration.certFile, configuration.keyFile) {
        case (nil, nil): break
        case (let certificate?, let key?):
            // An empty passphrase, so that OpenSSL fails on an encrypted key and does not ask at the terminal.
            let status = "".withCString { passphrase in
                amqp_ssl_socket_set_key_passwd(socket, passphrase)
                defer { amqp_ssl_socket_set_key_passwd(socket, nil) }
                return amqp_ssl_socket_set_key(socket, certificate, key)
            }
            guard status == 0 else {
                throw AMQPError(.tlsFailed, problem: "the client certificate or its key cannot be used")
            }
        default:
            throw AMQPError(.invalidConfiguration, problem: "certificate and key files go together")
        }
    }

    func logIn(_ configuration: AMQPConfiguration) throws(AMQPError) {
        arena.reset()
        // What librabbitmq does not ask for by itself, and without which the broker would keep silent about it.
        var properties: AMQPTable = [
            "capabilities": .table([
                "authentication_failure_close": true,
                "basic.nack": true,
                "connection.blocked": true,
                "consumer_cancel_notify": true,
                "publisher_confirms": true,
            ])
        ]
        properties["connection_name"] = configuration.connectionName.map(AMQPValue.string)
        guard properties.encodedSize().map({ $0 < 4_096 }) == true else {
            throw AMQPError(.invalidConfiguration, problem: "the connection name is too long")
        }
        var table = arena.table(properties)
        var timeout = timeval(configuration.connectTimeout)
        amqp_set_handshake_timeout(state, &timeout)
        let reply = crabbitmq_login_plain(
            state,
            configuration.virtualHost,
            Self.channelMaxAskedFor,
            Self.frameMaxAskedFor,
            Int32(clamping: max(1, min(configuration.heartbeat.components.seconds, Int64(UInt16.max)))),
            &table,
            configuration.user,
            configuration.password
        )
        guard reply.reply_type == AMQP_RESPONSE_NORMAL else {
            throw .loggingIn(reply, configuration.addresses[0]).explained(configuration)
        }
    }

    /// For as many queues that are published to at the same time. RabbitMQ grants 2,047 where its configuration says nothing.
    private static var channelMaxAskedFor: Int32 { 2_047 }
    /// RabbitMQ's default. A broker may ask for less, and so may one's peers: headers never span frames.
    private static var frameMaxAskedFor: Int32 { 131_072 }
}

extension timeval {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}

extension AMQPError {
    fileprivate static func opening(_ status: Int32, _ address: AMQPAddress) -> AMQPError {
        switch amqp_status_enum(rawValue: status) {
        case AMQP_STATUS_SSL_ERROR, AMQP_STATUS_SSL_CONNECTION_FAILED:
            AMQPError(.tlsFailed, problem: "handshake with \(address)")
        case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
            AMQPError(.tlsFailed, problem: "certificate of \(address) not trusted")
        case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
            AMQPError(.tlsFailed, problem: "certificate of another name than that of \(address)")
        case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED:
            AMQPError(.connectFailed, problem: "the name of \(address) cannot be resolved")
        case AMQP_STATUS_TIMEOUT: AMQPError(.connectFailed, problem: "no answer in time from \(address)")
        default: AMQPError(.connectFailed, problem: ConnectFailure(address).description)
        }
    }

    /// With TLS: which certificate is wrong, and why, where that can be told. With TLS 1.3 a server refuses the client's only after the
    /// handshake, so that the login breaks off.
    fileprivate func explained(_ configuration: AMQPConfiguration) -> AMQPError {
        guard configuration.usesTLS, code == .tlsFailed || code == .connectFailed else { return self }
        let probe = TLSProbe(
            host: configuration.host,
            port: Int(configuration.port),
            caFile: configuration.caFile ?? BrokerLink.systemAuthorities,
            certFile: configuration.certFile,
            keyFile: configuration.keyFile
        )
        return probe.fault().map { AMQPError(.tlsFailed, problem: $0.description) } ?? self
    }

    fileprivate static func loggingIn(_ reply: amqp_rpc_reply_t, _ address: AMQPAddress) -> AMQPError {
        if reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION, reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD {
            let close = reply.reply.decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            let text = String(close.reply_text)
            return switch close.reply_code {
            case 403: AMQPError(.authenticationFailed, brokerText: text, problem: address.description)
            case 530: AMQPError(.vhostRefused, brokerText: text, problem: address.description)
            default:
                AMQPError(
                    .connectionClosedByBroker(replyCode: close.reply_code),
                    brokerText: text,
                    problem: "at the login, \(address)"
                )
            }
        }
        let status = amqp_status_enum(rawValue: reply.library_error)
        return status == AMQP_STATUS_TIMEOUT
            ? AMQPError(.connectFailed, problem: "no answer to the login in time from \(address)")
            : AMQPError(.connectFailed, problem: "the login broke off (\(words(reply.library_error))), \(address)")
    }

    /// What a status of the library means on a connection that was open.
    static func lost(_ status: Int32) -> AMQPError {
        switch amqp_status_enum(rawValue: status) {
        case AMQP_STATUS_HEARTBEAT_TIMEOUT: AMQPError(.heartbeatMissed)
        case AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_UNKNOWN_CLASS, AMQP_STATUS_UNKNOWN_METHOD,
            AMQP_STATUS_TABLE_TOO_BIG:
            AMQPError(.protocolViolation, problem: words(status))
        default: AMQPError(.connectionLost, problem: words(status))
        }
    }

    /// The library's, such as "a socket error occurred".
    private static func words(_ status: Int32) -> String {
        amqp_error_string2(status).map { String(cString: $0) } ?? "status \(status)"
    }
}

/// Opens a connection on a thread that may block; whoever uses the connection afterwards may have another one.
actor BrokerLinkOpener {
    nonisolated let executor: ThreadExecutor

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init() throws(ThreadExecutorError) {
        executor = try ThreadExecutor(name: "amqp")
    }

    func open(_ configuration: AMQPConfiguration) throws(AMQPError) -> sending BrokerLink {
        try BrokerLink(configuration)
    }
}

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
