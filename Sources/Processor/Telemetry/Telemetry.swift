import CoreMetrics
import Glibc
import Logging

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
