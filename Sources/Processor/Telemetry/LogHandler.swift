import ConfigurationReading
import Core
import CoreMetrics
import Glibc
import Logging

/// Writes each event as one line, of logfmt or of JSON: `time=… level=info logger=processor msg=command operation=capture …`, the
/// metadata in the order of its keys.
struct LogfmtHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let writer: LogWriter
    private let now: @Sendable () -> Timestamp

    init(
        label: String,
        level: Logger.Level,
        format: LogFormat = .logfmt,
        writer: LogWriter = .standardError,
        now: @escaping @Sendable () -> Timestamp = Self.wallClock
    ) {
        self.label = label
        self.format = format
        self.writer = writer
        self.now = now
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let own = event.metadata { fields = fields.isEmpty ? own : fields.merging(own) { $1 } }
        if let error = event.error { fields[LogKey.error.rawValue] = "\(error)" }
        let head = [
            ("time", now().description), ("level", event.level.rawValue), ("logger", label),
            ("msg", event.message.description),
        ]
        let pairs = head + fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
        writer.write(bytes(pairs), isUrgent: event.level > .info)
    }

    private func bytes(_ pairs: [(String, String)]) -> [UInt8] {
        switch format {
        case .logfmt:
            var line = LogfmtLine()
            for (key, value) in pairs { line.add(key, value) }
            return line.finished()
        case .json:
            var line = JSONLine()
            for (key, value) in pairs { line.add(key, value) }
            return line.finished()
        }
    }

    static func wallClock() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}

/// One line of logfmt in the making.
struct LogfmtLine {
    private var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(384)
    }

    /// Quoted where it must be; control characters are escaped, so that a line stays a line whatever a value holds.
    mutating func add(_ key: String, _ value: String) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: " ")) }
        for byte in key.utf8 { bytes.append(Self.isBare(byte) ? byte : UInt8(ascii: "_")) }
        bytes.append(UInt8(ascii: "="))
        if !value.isEmpty, value.utf8.allSatisfy(Self.isBare) {
            bytes.append(contentsOf: value.utf8)
        } else {
            addQuoted(value)
        }
    }

    consuming func finished() -> [UInt8] {
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private mutating func addQuoted(_ value: String) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: scalar.value)])
            case "\n": bytes.append(contentsOf: "\\n".utf8)
            case "\r": bytes.append(contentsOf: "\\r".utf8)
            case "\t": bytes.append(contentsOf: "\\t".utf8)
            case let control where control.properties.generalCategory == .control:
                bytes.append(contentsOf: "\\u{\(String(control.value, radix: 16))}".utf8)
            default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "="), UInt8(ascii: "\\"): false
        default: (0x21...0x7e).contains(byte)
        }
    }
}

/// How a line of the log is written.
enum LogFormat: String, Sendable, CaseIterable {
    case logfmt, json
}

extension ValueForm where Value == LogFormat {
    static let logFormat = word(orElse: "is neither logfmt nor json")
}

/// One line of JSON in the making: an object of strings.
struct JSONLine {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    init() {
        bytes.reserveCapacity(512)
    }

    mutating func add(_ key: String, _ value: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(json: key)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(json: value)
    }

    consuming func finished() -> [UInt8] {
        bytes += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        return bytes
    }
}

/// The process-wide set-up of logs and metrics. Once per process.
enum Telemetry {
    /// Logs go to standard error from now on, down to this level; what is left in the buffer is written when the
    /// process exits.
    ///
    /// - Parameter overflow: what becomes of lines that are not read; from the first signal on they are dropped, so that
    ///   whoever stops the process need not be whoever reads its log.
    static func bootstrapLogging(level: Logger.Level, overflow: LogOverflow = .drop, format: LogFormat = .logfmt) {
        LogWriter.standardError.setOverflow(overflow)
        LoggingSystem.bootstrap { LogfmtHandler(label: $0, level: level, format: format) }
        atexit { LogWriter.standardError.flush() }
    }

    /// Libraries that count through swift-metrics are then seen under `/metrics` too.
    static func bootstrapMetrics(_ registry: PrometheusRegistry) {
        MetricsSystem.bootstrap(registry)
    }
}
