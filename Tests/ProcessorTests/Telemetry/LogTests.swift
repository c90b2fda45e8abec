import Core
import Logging
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
