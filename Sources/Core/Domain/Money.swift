/// An amount of money: whole minor units (cents) of a currency. There is no fraction to round, nor a sign to lose.
package struct Money: Hashable, Sendable {
    /// 1 to `Int64.max`.
    package let minorUnits: Int64
    package let currency: Currency

    package init?(minorUnits: Int64, currency: Currency) {
        guard minorUnits > 0 else { return nil }
        self.minorUnits = minorUnits
        self.currency = currency
    }

    /// - Parameters:
    ///   - minorUnits: read back from the store, whose check constraint holds the rule.
    ///   - currency: as stored with it.
    package init(verified minorUnits: Int64, currency: Currency) {
        self.minorUnits = minorUnits
        self.currency = currency
    }
}

/// The currencies that the bank takes: one (docs/contract.md#bodies).
package enum Currency: String, Sendable, CaseIterable {
    case usd = "USD"
}
