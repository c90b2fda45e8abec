import Glibc

/// The real servers that `make test` starts, by their addresses in the environment.
package struct TestServers: Sendable {
    package let amqpURL: String
    package let databaseURL: String

    package init(amqpURL: String, databaseURL: String) {
        self.amqpURL = amqpURL
        self.databaseURL = databaseURL
    }

    /// - Throws: `ChildError` with the way out.
    package static func fromEnvironment() throws(ChildError) -> TestServers {
        TestServers(amqpURL: try address("AMQP_URL"), databaseURL: try address("DATABASE_URL"))
    }

    private static func address(_ name: String) throws(ChildError) -> String {
        guard let value = getenv(name), value.pointee != 0 else {
            throw ChildError("\(name) is not set: run `make test`, or `make up` and load .local/env")
        }
        return String(cString: value)
    }
}
