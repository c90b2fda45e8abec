import Core
import Glibc
import Logging
import Synchronization
import Testing

@testable import Processor

@Suite("The log", .timeLimit(.minutes(1)))
struct LogTests {
    @Test("a line has time, level, logger and message, then the metadata in the order of its keys")
    func golden() throws {
        let log = try CapturedLog()
        var logger = log.logger
        logger[metadataKey: "b"] = "2"
        logger[metadataKey: "own"] = "handler"
        logger.notice("hello world", metadata: ["a": "1", "own": "event"])
        #expect(
            log.readAll()
                == "time=2026-01-01T00:00:00.000001Z level=notice logger=processor "
                + "msg=\"hello world\" a=1 b=2 own=event\n"
        )
    }

    @Test(
        "a value cannot break out of its line or its quotes",
        arguments: [
            ("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""),
            ("q\"q", "\"q\\\"q\""),
            ("b\\b", "\"b\\\\b\""), ("x\ny\r\tz", "\"x\\ny\\r\\tz\""), ("\u{1b}[31m", "\"\\u{1b}[31m\""),
            ("é€", "\"é€\""),
            ("\u{85}", "\"\\u{85}\""),
        ]
    )
    func quoting(value: String, expected: String) {
        var line = LogfmtLine()
        line.add("k y", value)
        #expect(String(decoding: line.finished(), as: UTF8.self) == "k_y=\(expected)\n")
    }

    @Test("the level decides what is logged")
    func level() throws {
        let log = try CapturedLog(level: .warning)
        log.logger.info("no")
        log.logger.warning("yes")
        #expect(log.lines() == ["level=warning logger=processor msg=yes"])
    }

    @Test("lines are written without anybody's doing", arguments: [Logger.Level.warning, .info])
    func delay(level: Logger.Level) async throws {
        let log = try CapturedLog()
        log.logger.log(level: level, "second")
        var text = ""
        #expect(
            await eventually {
                text += log.read()
                return text.hasSuffix("msg=second\n")
            }
        )
    }

    @Test("lines of many tasks stay whole, and none is lost")
    func concurrency() async throws {
        let log = try CapturedLog()
        await withDiscardingTaskGroup { group in
            for worker in 0..<8 {
                group.addTask {
                    for line in 0..<500 { log.logger.info("x", metadata: ["worker": "\(worker)", "line": "\(line)"]) }
                }
            }
        }
        let lines = log.lines()
        #expect(lines.count == 4_000)
        #expect(Set(lines).count == 4_000)
        #expect(lines.allSatisfy { $0.hasPrefix("level=info logger=processor msg=x line=") })
    }
}

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

@Suite("A log that nobody reads", .timeLimit(.minutes(1)))
struct LogQueueTests {
    /// A pipe that is full after a few lines.
    private struct Reader {
        let ends: (read: Int32, write: Int32)

        init() throws {
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            self.ends = (ends[0], ends[1])
            // F_SETPIPE_SZ, which Swift does not import.
            _ = fcntl(ends[1], Int32(1031), 4_096)
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        }

        /// Reads until the text is what is waited for.
        func read(until isEnough: (String) -> Bool) async -> String {
            var bytes: [UInt8] = []
            let found = await eventually {
                var chunk = [UInt8](repeating: 0, count: 65_536)
                while case let count = Glibc.read(ends.read, &chunk, chunk.count), count > 0 {
                    bytes += chunk[..<count]
                }
                return isEnough(String(decoding: bytes, as: UTF8.self))
            }
            #expect(found)
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private static func line(_ number: Int) -> [UInt8] {
        Array("line \(number) \(String(repeating: ".", count: 90))\n".utf8)
    }

    @Test("keeps nobody waiting: lines are dropped and counted, and that is reported when it is read again")
    func drops() async throws {
        let reader = try Reader()
        let writer = LogWriter(descriptor: reader.ends.write, capacity: 10_000)
        let drops = Atomic(0)
        writer.observeDrops { drops.add(1, ordering: .relaxed) }
        // All that fits nowhere; this would never return if a line waited for its reader.
        for number in 0..<1_000 { writer.write(Self.line(number), isUrgent: number.isMultiple(of: 3)) }
        writer.flush()
        let dropped = drops.load(ordering: .relaxed)
        #expect(dropped > 500 && dropped < 1_000)
        let text = await reader.read { $0.contains("count=") && $0.split(separator: "\n").count > 1_000 - dropped }
        #expect(text.contains("level=warning logger=processor msg=\"log lines were dropped"))
        #expect(text.contains("count=\(dropped)\n"))
        #expect(text.split(separator: "\n").count == 1_000 - dropped + 1)
        writer.write(Array("after\n".utf8), isUrgent: true)
        #expect(await reader.read { $0.hasSuffix("after\n") } == "after\n")
    }

    @Test("keeps who logs waiting where that is wanted, until it is wanted no more", arguments: [true, false])
    func blocks(isReadAgain: Bool) async throws {
        let reader = try Reader()
        let writer = LogWriter(descriptor: reader.ends.write, capacity: 10_000)
        writer.setOverflow(.block)
        let drops = Atomic(0)
        writer.observeDrops { drops.add(1, ordering: .relaxed) }
        let written = Mutex(0)
        var thread = pthread_t()
        let work = Work {
            for number in 0..<1_000 {
                writer.write(Self.line(number), isUrgent: false)
                written.withLock { $0 = number + 1 }
            }
        }
        let context = Unmanaged.passRetained(work)
        let result = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            },
            context.toOpaque()
        )
        try #require(result == 0)
        // The queue and the pipe are full.
        #expect(await eventually { written.withLock { $0 } >= 100 })
        #expect(written.withLock { $0 } < 1_000)
        if isReadAgain {
            let text = await reader.read { $0.contains("line 999 ") }
            #expect(text.split(separator: "\n").count == 1_000)
            #expect(drops.load(ordering: .relaxed) == 0)
        } else {
            writer.setOverflow(.drop)
            #expect(await eventually { written.withLock { $0 } == 1_000 })
            #expect(drops.load(ordering: .relaxed) > 0)
        }
        pthread_join(thread, nil)
        _ = await eventually {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            return Glibc.read(reader.ends.read, &chunk, chunk.count) <= 0
        }
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
