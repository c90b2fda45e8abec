import Glibc

/// A version of the broker, as `scripts/services` starts it.
struct RabbitMQVersion: Sendable {
    /// `4.0`; `nil` for the system's.
    let name: String?

    /// What `make test RABBITMQ=…` was called with.
    static let ofTheSuite = RabbitMQVersion(
        name: getenv("RABBITMQ").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    )
    static let four = RabbitMQVersion(name: "4.0")

    var environment: [String: String] { name.map { ["RABBITMQ": $0] } ?? [:] }

    /// Whether `scripts/rabbitmq-version`, which `make test` calls, has got it: that needs Debian's archive.
    var isHere: Bool {
        guard let name else { return true }
        let program = "\(PrivateServices.root)/.local/rabbitmq-\(name)/usr/lib/rabbitmq/bin/rabbitmq-server"
        return access(program, X_OK) == 0
    }
}
