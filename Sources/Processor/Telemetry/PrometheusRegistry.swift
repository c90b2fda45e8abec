import CoreMetrics
import Synchronization

/// Keeps every metric of the process in memory and prints them all in the Prometheus text format.
///
/// Series live as long as the process: what has been counted stays visible.
final class PrometheusRegistry: MetricsFactory {
    /// The metrics of one name.
    struct Family: Sendable {
        let kind: PrometheusKind
        /// In the order in which they were made.
        var series: [Labels] = []
        var handlers: [Labels: any PrometheusSeries] = [:]
    }

    /// A series' labels, sorted by name.
    struct Labels: Hashable, Sendable {
        let pairs: [Pair]

        struct Pair: Hashable, Sendable {
            let name: String
            let value: String
        }

        init(_ dimensions: [(String, String)]) {
            pairs = dimensions.map { Pair(name: PrometheusText.name($0), value: $1) }.sorted { $0.name < $1.name }
        }
    }

    let families = Mutex<[String: Family]>([:])
    private let help = Mutex<[String: String]>([:])
    private let seriesLimit: Int

    /// - Parameter seriesLimit: per name. A label that turns out to be unbounded costs this much memory and no more;
    ///   what is beyond it is counted for nobody.
    init(seriesLimit: Int = 500) {
        self.seriesLimit = seriesLimit
    }

    /// Sets the `HELP` line of a name.
    func describe(_ name: String, as text: String) {
        help.withLock { $0[PrometheusText.name(name)] = text }
    }

    func help(for name: String) -> String? { help.withLock { $0[name] } }

    /// What the gauges of a name stand at, by the value of one of their labels; of one without labels by an empty text.
    func gauges(_ name: String, by label: String = "") -> [String: Double] {
        families.withLock { families in
            var values: [String: Double] = [:]
            for (labels, handler) in families[name]?.handlers ?? [:] {
                guard let gauge = handler as? PrometheusGauge else { continue }
                values[labels.pairs.first { $0.name == label }?.value ?? ""] = gauge.current
            }
            return values
        }
    }

    /// What the counters of a name have counted together.
    func count(of name: String) -> Int {
        families.withLock { families in
            (families[name]?.handlers.values ?? [:].values).reduce(0) { sum, handler in
                sum + Int((handler as? PrometheusCounter)?.current ?? 0)
            }
        }
    }

    /// The series of these labels, made where there is none yet.
    private func series<Series: PrometheusSeries>(
        _ name: String,
        _ dimensions: [(String, String)],
        make: () -> Series
    ) -> Series {
        let labels = Labels(dimensions)
        let name = PrometheusText.name(name)
        return families.withLock { families in
            var family = families[name] ?? Family(kind: Series.kind)
            if let known = family.handlers[labels] as? Series { return known }
            let series = make()
            // Another kind under the same name would make the whole text unreadable to Prometheus.
            guard family.kind == Series.kind, family.series.count < seriesLimit else { return series }
            family.series.append(labels)
            family.handlers[labels] = series
            families[name] = family
            return series
        }
    }

    // MARK: MetricsFactory

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions) { PrometheusCounter() }
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate { return series(label, dimensions) { PrometheusHistogram() } }
        return series(label, dimensions) { PrometheusGauge() }
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions) { PrometheusGauge() }
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions) { PrometheusHistogram() }
    }

    func destroyCounter(_ handler: any CounterHandler) {}

    func destroyRecorder(_ handler: any RecorderHandler) {}

    func destroyMeter(_ handler: any MeterHandler) {}

    func destroyTimer(_ handler: any TimerHandler) {}
}

/// The Prometheus text format, version 0.0.4.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    mutating func family(_ name: String, _ kind: PrometheusKind, help: String?) {
        if let help { text += "# HELP \(name) \(Self.escape(help, quotes: false))\n" }
        text += "# TYPE \(name) \(kind.rawValue)\n"
    }

    /// One line; with the upper bound where it is a histogram's bucket.
    mutating func sample(_ name: String, _ labels: PrometheusRegistry.Labels, bound: String? = nil, value: String) {
        var pairs = labels.pairs.map { "\($0.name)=\"\(Self.escape($0.value, quotes: true))\"" }
        if let bound { pairs.append("le=\"\(bound)\"") }
        text += pairs.isEmpty ? "\(name) \(value)\n" : "\(name){\(pairs.joined(separator: ","))} \(value)\n"
    }

    /// What is not allowed in a name becomes an underscore.
    static func name(_ label: String) -> String {
        let name = String(
            String.UnicodeScalarView(
                label.unicodeScalars.map { scalar in
                    switch scalar {
                    case "a"..."z", "A"..."Z", "0"..."9", "_": scalar
                    default: "_"
                    }
                }
            )
        )
        return name.first?.isNumber == false ? name : "_\(name)"
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map { String($0) } ?? "\(value)"
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": escaped.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quotes: escaped.append(contentsOf: "\\\"".unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}

extension PrometheusRegistry {
    /// Every series, the families in the order of their names.
    var text: String {
        var output = PrometheusText()
        for (name, family) in families.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            output.family(name, family.kind, help: help(for: name))
            for labels in family.series { family.handlers[labels]?.write(name: name, labels: labels, to: &output) }
        }
        return output.text
    }
}
