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

/// The executables under test: those beside the test bundle, or in `BINARIES_DIR`.
package enum TestPrograms {
    /// - Throws: `ChildError` with the way out.
    package static func processor() throws(ChildError) -> String { try program("processor") }
    package static func keeperProbe() throws(ChildError) -> String { try program("KeeperProbe") }
    package static func simulate() throws(ChildError) -> String { try program("simulate") }
    package static func publisher() throws(ChildError) -> String { try program("publisher") }

    /// `BANK_SIMULATOR` names another one, as it does for the scripts.
    package static func bankSimulator() throws(ChildError) -> String {
        if let path = variable("BANK_SIMULATOR") { return path }
        return try program("bank-simulator")
    }

    private static func program(_ name: String) throws(ChildError) -> String {
        let path = "\(variable("BINARIES_DIR") ?? bundleDirectory)/\(name)"
        guard access(path, X_OK) == 0 else { throw ChildError("\(path) is not built: run `make build-debug`") }
        return path
    }

    /// `/proc/self/exe` is the test bundle, which SwiftPM puts beside the executables.
    private static var bundleDirectory: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
