/// The scheduled work. Raw values are the names on the wire, in the store and on the command line.
package enum SweepJob: String, Sendable, CaseIterable {
    /// Checks operations that nobody has finished.
    case reconcile
    /// Looks for authorizations past their expiry.
    case expire
    /// Removes what need not be kept any longer.
    case retention
}
