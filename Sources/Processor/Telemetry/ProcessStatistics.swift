import Glibc
import Program

/// What every program tells Prometheus of itself, by the names that are usual for it. Read when it is asked for.
enum ProcessStatistics {
    static let buildInfo = "payments_build_info"

    static var text: String {
        var text = PrometheusText()
        func single(_ name: String, _ kind: PrometheusKind, _ help: String, _ value: Double?) {
            guard let value else { return }
            text.family(name, kind, help: help)
            text.sample(name, PrometheusRegistry.Labels([]), value: PrometheusText.number(value))
        }
        text.family(buildInfo, .gauge, help: "1, with the version of this processor.")
        text.sample(buildInfo, PrometheusRegistry.Labels([("version", ProductVersion.current)]), value: "1")
        let process = fields
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        single(
            "process_cpu_seconds_total",
            .counter,
            "User and system time of this process.",
            process.map { ($0[11] + $0[12]) / ticks }
        )
        single("process_open_fds", .gauge, "Open descriptors of this process.", openDescriptors)
        single("process_max_fds", .gauge, "The most descriptors that this process may have open.", maximumDescriptors)
        single(
            "process_resident_memory_bytes",
            .gauge,
            "Resident memory.",
            process.map { $0[21] * Double(getpagesize()) }
        )
        single("process_virtual_memory_bytes", .gauge, "Virtual memory.", process.map { $0[20] })
        single("process_threads", .gauge, "Threads of this process.", process.map { $0[17] })
        single(
            "process_start_time_seconds",
            .gauge,
            "When this process started, in seconds since the epoch.",
            process.flatMap { fields in bootTime.map { $0 + fields[19] / ticks } }
        )
        return text.text
    }

    /// Of /proc/self/stat, from the state on: the name before it may hold anything.
    private static var fields: [Double]? {
        guard let text = read("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
        return fields.count > 21 ? fields : nil
    }

    private static var bootTime: Double? {
        let line = read("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) }
    }

    private static var openDescriptors: Double? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        // Not ".", ".." and the directory itself.
        var count = -3
        while readdir(directory) != nil { count += 1 }
        return Double(max(count, 0))
    }

    private static var maximumDescriptors: Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Double(limit.rlim_cur)
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
