import Glibc

/// The keeper's process: holds what it is given for as long as its owner lives, and for a while after.
package enum ConnectionHolder {
    /// A keeper holds no more connections than that.
    package static let limit = 4_096

    /// Runs until the owner's end of the socket is closed and nothing need be held any longer: every connection was closed by
    /// its server, or answered, or `linger` is over. The owner's death and its letting go look the same.
    ///
    /// It changes the process for good: no signal but SIGKILL ends it, the standard streams lead nowhere.
    ///
    /// - Parameters:
    ///   - linger: how long the servers may take to complete what they were asked.
    ///   - onAnswer: told of each answer to a request that is on the board, after the owner's death, with the owner's note. Called on
    ///     this thread.
    /// - Returns: the exit code: 0, or 64 (EX_USAGE) where this process was not started by `ConnectionKeeper`.
    package static func run(
        linger: Duration,
        onAnswer: (_ answer: HeldAnswer, _ note: [UInt8]) -> Void = { _, _ in }
    ) -> Int32 {
        let descriptor = ConnectionKeeper.socketOfChild
        guard HolderProcess.isKeeperSocket(descriptor),
            let board = RequestBoard(inherited: ConnectionKeeper.boardOfChild)
        else { return Int32(EX_USAGE) }
        HolderProcess.settle(keeping: descriptor, descriptors: limit)
        hold(KeeperSocket(descriptor: descriptor), linger: linger) { id, status, body in
            guard let tag = board.tag(id: id) else { return }
            onAnswer(HeldAnswer(tag: tag, status: status, body: body), board.note)
        }
        return 0
    }

    private static func hold(
        _ socket: KeeperSocket,
        linger: Duration,
        onAnswer: (_ id: UInt64, _ status: Int, _ body: [UInt8]) -> Void
    ) {
        var held = HeldConnections(limit: limit)
        while wait(for: socket, &held), receive(from: socket, &held) {}
        let end = ContinuousClock.now + linger
        while !held.isEmpty, case let remaining = ContinuousClock.now.duration(to: end), remaining > .zero {
            var polled = held.interests(reading: true)
            let count = poll(&polled, nfds_t(polled.count), remaining.pollMilliseconds)
            guard count >= 0 || errno == EINTR else { return }
            if count > 0 { held.read(polled[...], onAnswer: onAnswer) }
        }
    }

    /// Waits until the owner has something to say, and lets go of dead connections meanwhile. False: no memory to do so.
    private static func wait(for socket: KeeperSocket, _ held: inout HeldConnections) -> Bool {
        while true {
            var polled = [pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)]
            polled += held.interests(reading: false)
            guard poll(&polled, nfds_t(polled.count), -1) >= 0 else {
                guard errno == EINTR else { return false }
                continue
            }
            held.check(at: polled[1...])
            if polled[0].revents != 0 { return true }
        }
    }

    /// Does all that the owner has said. False: the owner is gone.
    private static func receive(from socket: KeeperSocket, _ held: inout HeldConnections) -> Bool {
        while true {
            switch socket.receive() {
            case .message(.hold(let id), let descriptor?): held.add(descriptor, id: id)
            // The kernel had no descriptor left for it.
            case .message(.hold, nil): break
            case .message(.release(let id), let descriptor):
                if let descriptor { close(descriptor) }
                held.release(id)
            case .nothingYet: return true
            case .ended: return false
            }
        }
    }
}

extension Duration {
    /// Rounded up, and within what `poll` takes.
    fileprivate var pollMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds < Int64(Int32.max) / 1_000 else { return Int32.max }
        return Int32(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}

/// What a keeper's process does to itself before it holds anything.
enum HolderProcess {
    /// As `ps` and `top` show it; the kernel keeps 15 bytes.
    private static let name = "payments-keeper"

    static func isKeeperSocket(_ descriptor: Int32) -> Bool {
        option(SO_DOMAIN, of: descriptor) == AF_UNIX
            && option(SO_TYPE, of: descriptor) == Int32(SOCK_SEQPACKET.rawValue)
    }

    static func settle(keeping socket: Int32, descriptors: Int) {
        // It ends by itself after its owner; until then what is meant for the owner must not end it.
        for signal in [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2] {
            Glibc.signal(signal, SIG_IGN)
        }
        setsid()
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        closeInherited()
        _ = chdir("/")
        releaseStandardStreams()
        writeName()
        allow(descriptors: descriptors)
    }

    /// What the owner, or a library of it, did not close on exec must not live on here. What this process has opened itself
    /// is closed on exec.
    private static func closeInherited() {
        guard let folder = opendir("/proc/self/fd") else { return }
        var inherited: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let descriptor = Int32(name), descriptor > STDERR_FILENO else { continue }
            if fcntl(descriptor, F_GETFD) == 0 { inherited.append(descriptor) }
        }
        closedir(folder)
        for descriptor in inherited { close(descriptor) }
    }

    /// Whoever waits for the end of the owner's output must not wait for its keeper.
    private static func releaseStandardStreams() {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { return }
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { dup2(null, stream) }
        if null > STDERR_FILENO { close(null) }
    }

    /// By way of /proc, because Swift does not import the variadic `prctl`.
    private static func writeName() {
        let file = open("/proc/self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        let bytes = Array(name.utf8)
        _ = write(file, bytes, bytes.count)
        close(file)
    }

    /// Raises the soft limit for as many descriptors, beside its own, as far as the hard one allows.
    private static func allow(descriptors: Int) {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        let wanted = min(limit.rlim_max, rlim_t(descriptors + 16))
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = wanted
        setrlimit(resource, &limit)
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}
