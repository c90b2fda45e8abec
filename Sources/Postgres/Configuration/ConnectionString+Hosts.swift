import Glibc

extension ConnectionString {
    /// One server that may be tried: what to put in place of the lists of the string.
    struct Host: Sendable, Hashable {
        var host: String?
        var address: String?
        var port: String?
    }

    /// The hosts in their order; `nil` where the string names none, and libpq takes them from elsewhere (environment,
    /// service file, or the default socket).
    var hosts: [Host]? {
        let names = list("host")
        let addresses = list("hostaddr")
        let ports = list("port")
        let count = max(names.count, addresses.count)
        guard count > 0 else { return nil }
        return (0..<count).map { index in
            Host(
                host: element(names, index),
                address: element(addresses, index),
                port: ports.count == 1 ? element(ports, 0) : element(ports, index)
            )
        }
    }

    /// Whether every server it can lead to is this machine.
    ///
    /// libpq takes from the environment what the string leaves open, and an address from there even where the string
    /// has a host. A service file may lead anywhere.
    var isLoopbackOnly: Bool {
        guard self["service"] == nil, getenv("PGSERVICE") == nil else { return false }
        let hosts = hosts ?? [Host()]
        return hosts.allSatisfy { host in
            let address = host.address.map { [$0] } ?? Self.environmentList("PGHOSTADDR")
            guard address.isEmpty else { return address.allSatisfy(Self.isLoopback) }
            return (host.host.map { [$0] } ?? Self.environmentList("PGHOST")).allSatisfy(Self.isLoopback)
        }
    }

    var verifiesServer: Bool { (self["sslmode"] ?? getenv("PGSSLMODE").map { String(cString: $0) }) == "verify-full" }

    private static func environmentList(_ name: String) -> [String] {
        guard let value = getenv(name) else { return [] }
        return String(cString: value).split(separator: ",").map(String.init)
    }

    private func element(_ list: [String], _ index: Int) -> String? {
        guard list.indices.contains(index), !list[index].isEmpty else { return nil }
        return list[index]
    }

    /// A socket in the file system or in the abstract namespace, or an address of the loopback network.
    private static func isLoopback(_ host: String) -> Bool {
        if host.hasPrefix("/") || host.hasPrefix("@") || host.lowercased() == "localhost" { return true }
        var v4 = in_addr()
        if inet_pton(AF_INET, host, &v4) == 1 { return UInt32(bigEndian: v4.s_addr) >> 24 == 127 }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, host, &v6) == 1 else { return false }
        return withUnsafeBytes(of: v6) { bytes in bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 }
    }
}
