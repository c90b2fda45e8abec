import AMQP
import Postgres

extension ValueForm where Value == AMQPConfiguration {
    static let brokerURL = ValueForm(
        allowed:
            "amqp://user:password@host:port,host:port/vhost?heartbeat=30&connection_timeout=5000 or amqps://…, each part "
            + "percent-encoded",
        redact: Redaction.brokerURL
    ) { text throws(ValueProblem) in
        do throws(AMQPError) {
            return try AMQPConfiguration(url: text)
        } catch {
            throw ValueProblem(error.problem ?? "is no AMQP URL")
        }
    }
}

extension ValueForm where Value == PostgresConfiguration {
    static let conninfo = ValueForm(
        allowed: "a libpq connection string, as a URI postgresql://… or as keyword=value pairs",
        redact: Redaction.conninfo
    ) { text throws(ValueProblem) in
        do throws(PostgresError) {
            return try PostgresConfiguration(conninfo: text, applicationName: "payment-processor")
        } catch {
            throw ValueProblem("cannot be read: \(error.reason ?? "malformed")")
        }
    }
}

extension ValueForm where Value == BankAddress {
    static let bankURL = ValueForm(
        allowed: "http://host:port or https://host:port, perhaps with a path, without user, query or fragment"
    ) { text throws(ValueProblem) in
        try BankAddress(text)
    }
}
