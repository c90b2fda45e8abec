/// Settings for tests of the sweeps.
enum SweepTimes {
    private static let shortLease = [
        "BANK_TIMEOUT": "1500ms", "BANK_WORST_CASE": "500ms", "OPERATION_LEASE": "2500ms",
    ]

    /// What is stuck is soon due, and checked.
    static let soon = shortLease.merging(["SWEEPS_RECONCILE_PERIOD": "500ms"]) { $1 }

    /// A sweep runs when a test asks for it: no slot begins while it runs, but for those at the start of a processor.
    static let byHand = shortLease.merging([
        "SWEEPS_RECONCILE_PERIOD": "168h", "SWEEPS_EXPIRE_PERIOD": "168h", "SWEEPS_RETENTION_PERIOD": "168h",
    ]) { $1 }

    /// The same, with patience enough for a machine that has much else to do.
    static let byHandUnderLoad = byHand.merging([
        "BANK_TIMEOUT": "20s", "BANK_WORST_CASE": "1s", "OPERATION_LEASE": "22s",
    ]) { $1 }
}
