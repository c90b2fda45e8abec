import Glibc
import TestSupport

/// What `/proc` tells of a process that is not our child.
struct ProcessInspection {
    let processID: pid_t

    /// A process that nobody has reaped yet is gone all the same.
    var isRunning: Bool {
        guard let state = statistics.first else { return false }
        return state != "Z" && state != "X"
    }

    var name: String {
        ScratchDirectory.read("/proc/\(processID)/comm").split(separator: "\n").first.map(String.init) ?? ""
    }

    var session: pid_t? { statistics.count > 3 ? pid_t(statistics[3]) : nil }

    var environment: String { ScratchDirectory.read("/proc/\(processID)/environ") }

    /// What each open descriptor stands for, by its number.
    var descriptors: [Int32: String] {
        guard let folder = opendir("/proc/\(processID)/fd") else { return [:] }
        defer { closedir(folder) }
        var found: [Int32: String] = [:]
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let number = Int32(name) else { continue }
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("/proc/\(processID)/fd/\(name)", &target, target.count)
            found[number] = String(decoding: target.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        return found
    }

    var sockets: Int { descriptors.values.count { $0.hasPrefix("socket:") } }

    func ignores(_ signal: Int32) -> Bool {
        let status = ScratchDirectory.read("/proc/\(processID)/status").split(separator: "\n")
        guard let line = status.first(where: { $0.hasPrefix("SigIgn:") }),
            let mask = UInt64(line.dropFirst(7).drop { $0 == "\t" }, radix: 16)
        else { return false }
        return mask & (1 << UInt64(signal - 1)) != 0
    }

    /// The fields after the command's name, which may hold blanks: state, parent, group, session, …
    private var statistics: [Substring] {
        let text = ScratchDirectory.read("/proc/\(processID)/stat")
        guard let end = text.lastIndex(of: ")") else { return [] }
        return text[text.index(after: end)...].split(separator: " ")
    }
}
