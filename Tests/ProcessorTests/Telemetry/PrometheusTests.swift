import CoreMetrics
import Testing

@testable import Processor

@Suite("The Prometheus exporter", .timeLimit(.minutes(1)))
struct PrometheusTests {
    private let registry = PrometheusRegistry()

    @Test("counters, gauges and help come out in the text format")
    func text() {
        registry.describe("jobs_total", as: "All jobs,\nwith a \\ and a \"quote\".")
        let counter = Counter(label: "jobs_total", dimensions: [("state", "done"), ("kind", "a")], factory: registry)
        counter.increment()
        counter.increment(by: 2)
        counter.increment(by: -5)
        Counter(label: "jobs_total", dimensions: [("kind", "b\"\\\n")], factory: registry).increment()
        Meter(label: "depth", factory: registry).set(2.5)
        Gauge(label: "size", factory: registry).record(7)
        #expect(
            registry.text == """
                # TYPE depth gauge
                depth 2.5
                # HELP jobs_total All jobs,\\nwith a \\\\ and a "quote".
                # TYPE jobs_total counter
                jobs_total{kind="a",state="done"} 3
                jobs_total{kind="b\\"\\\\\\n"} 1
                # TYPE size gauge
                size 7

                """
        )
    }

    @Test("a timer is a histogram in seconds with cumulated buckets")
    func histogram() {
        let timer = Timer(label: "took_seconds", dimensions: [("operation", "void")], factory: registry)
        timer.recordNanoseconds(1_000_000)
        timer.recordNanoseconds(3_000_000)
        timer.recordNanoseconds(40_000_000_000)
        let lines = registry.text.split(separator: "\n").map(String.init)
        #expect(lines.count == 1 + PrometheusHistogram.bounds.count + 3)
        #expect(lines[0] == "# TYPE took_seconds histogram")
        #expect(lines[1] == "took_seconds_bucket{operation=\"void\",le=\"0.001\"} 1")
        #expect(lines[2] == "took_seconds_bucket{operation=\"void\",le=\"0.0025\"} 1")
        #expect(lines[3] == "took_seconds_bucket{operation=\"void\",le=\"0.005\"} 2")
        #expect(lines.contains("took_seconds_bucket{operation=\"void\",le=\"30\"} 2"))
        #expect(lines.contains("took_seconds_bucket{operation=\"void\",le=\"+Inf\"} 3"))
        #expect(lines.contains("took_seconds_sum{operation=\"void\"} 40.004"))
        #expect(lines.last == "took_seconds_count{operation=\"void\"} 3")
    }

    @Test(
        "names are made fit for Prometheus",
        arguments: [("a.b-c", "a_b_c"), ("9lives", "_9lives"), ("é", "_"), ("", "_")]
    )
    func names(label: String, expected: String) {
        #expect(PrometheusText.name(label) == expected)
    }

    @Test(
        "numbers are written as Prometheus reads them",
        arguments: [(1.0, "1"), (0.25, "0.25"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (-3, "-3")]
    )
    func numbers(value: Double, expected: String) {
        #expect(PrometheusText.number(value) == expected)
    }

    @Test("the same name and labels are the same series, whatever the order of the labels")
    func sameSeries() {
        Counter(label: "c_total", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "c_total", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(registry.text == "# TYPE c_total counter\nc_total{a=\"1\",b=\"2\"} 2\n")
    }

    @Test("series beyond the limit, and another kind under a known name, are left out")
    func bounded() {
        let registry = PrometheusRegistry(seriesLimit: 2)
        for id in 0..<10 { Counter(label: "c_total", dimensions: [("id", "\(id)")], factory: registry).increment() }
        Meter(label: "c_total", factory: registry).set(1)
        #expect(registry.text == "# TYPE c_total counter\nc_total{id=\"0\"} 1\nc_total{id=\"1\"} 1\n")
    }

    @Test("nothing is lost when many count at the same time")
    func concurrency() async {
        let registry = registry
        await withDiscardingTaskGroup { group in
            for worker in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "n_total", factory: registry)
                    let timer = Timer(label: "t_seconds", factory: registry)
                    let meter = Meter(label: "m", factory: registry)
                    for _ in 0..<1_000 {
                        counter.increment()
                        timer.recordNanoseconds(2_000_000)
                        meter.increment(by: worker % 2 == 0 ? 2 : 1)
                        meter.decrement(by: 1)
                    }
                    #expect(registry.text.contains("# TYPE n_total counter"))
                }
            }
        }
        let lines = registry.text.split(separator: "\n")
        #expect(lines.contains("n_total 8000"))
        #expect(lines.contains("m 4000"))
        #expect(lines.contains("t_seconds_count 8000"))
        #expect(lines.contains("t_seconds_bucket{le=\"0.001\"} 0"))
        #expect(lines.contains("t_seconds_bucket{le=\"0.0025\"} 8000"))
    }

    @Test("every metric of the contract is there with 0 before anything has happened")
    func initialMetrics() {
        _ = ProcessorMetrics(registry: registry)
        let lines = Set(registry.text.split(separator: "\n").map(String.init))
        for operation in ["authorize", "capture", "void", "refund"] {
            for outcome in ["succeeded", "declined", "rejected", "unknown", "replayed", "parked", "dead_lettered"] {
                #expect(lines.contains("payments_commands_total{operation=\"\(operation)\",outcome=\"\(outcome)\"} 0"))
            }
            for verdict in ["succeeded", "declined", "expired", "ambiguous", "not_sent", "needs_attention"] {
                #expect(
                    lines.contains("payments_bank_calls_total{operation=\"\(operation)\",verdict=\"\(verdict)\"} 0")
                )
            }
            #expect(lines.contains("payments_command_duration_seconds_count{operation=\"\(operation)\"} 0"))
            #expect(lines.contains("payments_operations_open{operation=\"\(operation)\"} 0"))
        }
        for tier in ["5s", "30s", "2m", "10m", "1h"] {
            #expect(lines.contains("payments_retry_depth{tier=\"\(tier)\"} 0"))
        }
        for name in [
            "payments_dead_letters_open", "payments_breaker_open", "payments_replies_undeliverable_total",
            "payments_possible_orphans_total", "payments_needs_attention_total", "payments_outbox_oldest_seconds",
            "payments_log_lines_dropped_total",
        ] {
            #expect(lines.contains("\(name) 0"))
        }
        for name in ProcessorMetrics.Name.allCases { #expect(lines.contains("# HELP \(name.rawValue) \(name.help)")) }
    }
}
