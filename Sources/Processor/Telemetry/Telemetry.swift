import CoreMetrics
import Glibc
import Logging

/// The process-wide set-up of logs and metrics. Once per process.
enum Telemetry {
    /// Logs go to standard error from now on, down to this level; what is left in the buffer is written when the
    /// process exits.
    static func bootstrapLogging(level: Logger.Level) {
        LoggingSystem.bootstrap { LogfmtHandler(label: $0, level: level) }
        atexit { LogWriter.standardError.flush() }
    }

    /// Libraries that count through swift-metrics are then seen under `/metrics` too.
    static func bootstrapMetrics(_ registry: PrometheusRegistry) {
        MetricsSystem.bootstrap(registry)
    }
}
