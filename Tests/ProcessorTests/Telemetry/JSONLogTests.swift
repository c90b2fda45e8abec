import Core
import Testing

@testable import Processor

@Suite("The log as JSON")
struct JSONLogTests {
    @Test("a line is one object, whatever its values hold")
    func line() throws {
        var line = JSONLine()
        line.add("msg", "a \"quoted\"\nline\u{1}")
        line.add("idempotency.key", "é\\")
        let bytes = line.finished()
        #expect(bytes.count(where: { $0 == UInt8(ascii: "\n") }) == 1 && bytes.last == UInt8(ascii: "\n"))
        let json = try JSONParser.parse(bytes)
        #expect(json["msg"]?.string == "a \"quoted\"\nline\u{1}")
        #expect(json["idempotency.key"]?.string == "é\\")
    }

    @Test("what a program tells of itself is there, each with its type")
    func statistics() {
        let lines = ProcessStatistics.text.split(separator: "\n")
        for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"] {
            #expect(lines.contains { $0.hasPrefix("# TYPE \(name) ") })
            #expect(lines.contains { $0.hasPrefix("\(name) ") && !$0.hasSuffix(" 0") }, "\(name)")
        }
        #expect(lines.contains { $0.hasPrefix("payments_build_info{version=\"") && $0.hasSuffix("} 1") })
        let start = lines.first { $0.hasPrefix("process_start_time_seconds ") }?.split(separator: " ").last
        #expect(start.flatMap { Double($0) } ?? 0 > 1_500_000_000)
    }
}
