import Foundation

/// How large a test is made. A usual run has small sizes; a variable of the environment multiplies them.
enum TestScale {
    /// `FAILOVER_TEST_SCALE`: 10 for ten times as many commands.
    static let failover = factor("FAILOVER_TEST_SCALE")
    /// `ORDERING_TEST_SCALE`.
    static let ordering = factor("ORDERING_TEST_SCALE")
    /// `CLUSTER_TEST_SCALE`: how many nodes of a cluster are killed and frozen, one after the other.
    static let cluster = factor("CLUSTER_TEST_SCALE")
    /// `BANK_FAULT_TEST_SCALE`.
    static let bankFaults = factor("BANK_FAULT_TEST_SCALE")

    private static func factor(_ name: String) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }.map { max($0, 1) } ?? 1
    }
}
