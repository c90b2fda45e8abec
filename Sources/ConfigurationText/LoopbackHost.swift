import Glibc

/// Whether a name or address leads to this machine and nowhere else.
package enum LoopbackHost {
    package static func matches(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        var v4 = in_addr()
        if inet_pton(AF_INET, host, &v4) == 1 { return UInt32(bigEndian: v4.s_addr) >> 24 == 127 }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, host, &v6) == 1 else { return false }
        return withUnsafeBytes(of: v6) { bytes in
            let isOne = bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
            // ::ffff:127.x.x.x, as a socket that listens on both families shows an IPv4 peer.
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            return isOne || (isMapped && bytes[12] == 127)
        }
    }
}
