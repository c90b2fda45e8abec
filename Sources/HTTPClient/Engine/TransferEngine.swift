import CCurl
import StackWipe

/// libcurl's multi handle and the transfers in it. Not thread-safe: the actor that owns it runs it on one thread.
final class TransferEngine {
    private let multi: UnsafeMutableRawPointer
    private let poll: EventPoll
    private let configuration: HTTPClientConfiguration
    private let connections: ConnectionRegister
    private var active: [UInt64: Transfer] = [:]
    private var idle: [Transfer] = []
    private var isClosed = false

    /// When libcurl wants to be called though no socket is ready.
    private(set) var timerDeadline: ContinuousClock.Instant?

    /// Not later than the first time at which a caller stops waiting for an exchange that may go on without it. libcurl
    /// only knows when the exchange ends.
    private(set) var nextDismissal: ContinuousClock.Instant?

    /// Once per process, and thread-safe: libcurl counts its users itself, Swift runs this a single time.
    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(configuration: HTTPClientConfiguration, poll: EventPoll) throws(HTTPError) {
        guard Self.isLibraryReady, let multi = curl_multi_init() else {
            throw HTTPError(.outOfResources, outcomeUnknown: false)
        }
        self.multi = multi
        self.poll = poll
        self.configuration = configuration
        connections = ConnectionRegister(hooks: configuration.connectionHooks)
        let options = [
            ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING)),
            ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.maxConnections),
        ]
        guard (options + setCallbacks()).allSatisfy({ $0 == CURLM_OK }) else {
            throw HTTPError(.outOfResources, outcomeUnknown: false)
        }
    }

    deinit {
        close()
    }

    var hasRoom: Bool { active.count < configuration.maxConnections }

    /// How many exchanges were sent and have not ended.
    var sentCount: Int { isClosed ? 0 : active.values.count(where: \.wasSent) }

    /// Begins the exchange; the next turn does the first work on it.
    func start(_ pending: PendingRequest) {
        do throws(HTTPError) {
            let transfer = try takeTransfer()
            active[pending.id] = transfer
            try transfer.prepare(pending)
            if pending.mayOutliveCaller { nextDismissal = min(nextDismissal ?? pending.deadline, pending.deadline) }
            try add(transfer)
        } catch {
            end(pending.id, .failure(error), orElse: pending)
        }
    }

    /// Ends the caller's wait. What was sent goes on without the caller where its request says so; everything else ends
    /// with its connection.
    func giveUp(_ id: UInt64, _ code: HTTPError.Code) {
        guard let transfer = active[id], let pending = transfer.pending else { return }
        if transfer.wasSent && pending.mayOutliveCaller {
            transfer.dismissCaller(code)
        } else {
            abort(id, code)
        }
    }

    private func abort(_ id: UInt64, _ code: HTTPError.Code) {
        guard let transfer = active[id] else { return }
        curl_multi_remove_handle(multi, transfer.easy)
        end(id, .failure(HTTPError(code, outcomeUnknown: transfer.wasSent)))
    }

    /// Ends everything and frees libcurl's handles. Nothing can be started afterwards.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        for id in Array(active.keys) { abort(id, .shutDown) }
        idle.removeAll()
        curl_multi_cleanup(multi)
    }

    /// Ends every call, but touches no connection that carries a request: they stay open until the process ends. Nothing
    /// can be started afterwards.
    ///
    /// - Returns: how many exchanges that were sent are left so.
    func abandon() -> Int {
        guard !isClosed else { return 0 }
        let sent = active.values.filter(\.wasSent)
        for (id, transfer) in active where !transfer.wasSent { abort(id, .shutDown) }
        isClosed = true
        for transfer in sent { transfer.abandon() }
        // A handle may be freed only after it has left the multi handle, which closes its connection: neither this engine nor
        // its transfers may ever be released.
        _ = Unmanaged.passRetained(self)
        return sent.count
    }

    /// Tells libcurl which sockets are ready, or that its time has come, finishes what is complete, and dismisses the
    /// callers whose time is over.
    func turn(_ ready: [ReadySocket]) {
        var running: Int32 = 0
        for socket in ready {
            curl_multi_socket_action(multi, socket.socket, socket.readiness, &running)
        }
        if let timerDeadline, timerDeadline <= .now {
            self.timerDeadline = nil
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
        }
        finishCompleted()
        dismissOverdueCallers()
    }

    private func dismissOverdueCallers() {
        let now = ContinuousClock.now
        guard let nextDismissal, nextDismissal <= now else { return }
        self.nextDismissal = nil
        for (id, transfer) in active {
            guard let pending = transfer.pending, pending.isAwaited, pending.mayOutliveCaller else { continue }
            if pending.deadline <= now {
                giveUp(id, transfer.wasSent ? .timedOut : .connectTimedOut)
            } else {
                self.nextDismissal = min(self.nextDismissal ?? pending.deadline, pending.deadline)
            }
        }
    }

    private func finishCompleted() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let transfer = transfer(of: message.pointee.easy_handle) else {
                continue
            }
            // The message dies with the removal.
            let result = ccurl_message_result(message)
            curl_multi_remove_handle(multi, transfer.easy)
            finish(transfer, result)
        }
    }

    private func finish(_ transfer: Transfer, _ result: CURLcode) {
        guard let id = transfer.pending?.id else { return }
        if transfer.metDirtyConnection {
            return startAfresh(transfer, id: id)
        }
        if let refusal = transfer.answer.refusal {
            end(id, .failure(HTTPError(refusal, outcomeUnknown: transfer.wasSent, curlCode: Int(result.rawValue))))
        } else if result == CURLE_OK {
            end(id, transfer.answer.whole())
        } else {
            end(id, .failure(transfer.error(of: result)))
        }
    }

    /// Nothing was sent, and the connection is closed: the request goes over a new one, which cannot be dirty.
    private func startAfresh(_ transfer: Transfer, id: UInt64) {
        do throws(HTTPError) {
            try transfer.prepareAttempt(freshConnection: true)
            try add(transfer)
        } catch {
            end(id, .failure(error))
        }
    }

    private func takeTransfer() throws(HTTPError) -> Transfer {
        if let transfer = idle.popLast() { return transfer }
        return try Transfer(configuration: configuration, connections: connections)
    }

    private func add(_ transfer: Transfer) throws(HTTPError) {
        guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            throw HTTPError(.outOfResources, outcomeUnknown: false)
        }
    }

    /// The only place where a call that got as far as the engine gets its result.
    private func end(_ id: UInt64, _ outcome: PendingRequest.Outcome, orElse unprepared: PendingRequest? = nil) {
        guard let transfer = active.removeValue(forKey: id) else {
            unprepared?.finish(outcome)
            return
        }
        let pending = transfer.release() ?? unprepared
        // A handle keeps the buffer that it has sent from, contents included, for as long as it lives.
        // And what has sent it has left parts of it on this thread's stack and in its registers.
        if pending?.request.isConfidential == true { stack_wipe() } else { idle.append(transfer) }
        pending?.finish(outcome)
    }

    private func transfer(of easy: UnsafeMutableRawPointer) -> Transfer? {
        var context: UnsafeMutablePointer<CChar>?
        guard ccurl_get_private(easy, &context) == CURLE_OK else { return nil }
        return Transfer.behind(UnsafeMutableRawPointer(context))
    }

    private func setCallbacks() -> [CURLMcode] {
        let context = Unmanaged.passUnretained(self).toOpaque()
        return [
            ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context),
            ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context),
            ccurl_multi_set_socket_callback(multi) { _, socket, wish, context, mark in
                TransferEngine.behind(context)?.watch(socket, for: wish, isNew: mark == nil)
                return 0
            },
            ccurl_multi_set_timer_callback(multi) { _, milliseconds, context in
                TransferEngine.behind(context)?.setTimer(milliseconds)
                return 0
            },
        ]
    }

    private func watch(_ socket: Int32, for wish: Int32, isNew: Bool) {
        poll.watch(socket, for: wish, isNew: isNew)
        // Any pointer will do as the mark that the socket is watched.
        if isNew { curl_multi_assign(multi, socket, multi) }
    }

    private func setTimer(_ milliseconds: Int) {
        timerDeadline = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }

    private static func behind(_ context: UnsafeMutableRawPointer?) -> TransferEngine? {
        context.map { Unmanaged<TransferEngine>.fromOpaque($0).takeUnretainedValue() }
    }
}
