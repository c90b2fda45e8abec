import Glibc

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
