/// Where a request goes.
enum Route: Equatable, Sendable {
    /// A POST of the bank's API; never `get`.
    case command(BankOperation)
    /// A GET of the bank's API.
    case query(BankQuery)
    case health
    /// What the simulator has beyond the bank (docs/bank.md#the-bank-simulator).
    case control(ControlEndpoint)
    case unknown

    /// The control endpoints, which no fault reaches.
    enum ControlEndpoint: Equatable, Sendable {
        case addFault
        case listFaults
        case deleteFaults
        case moveClock
        case ledger
        case requests
    }

    /// The route of a method and a path, the latter without its query.
    init(method: String, path: String) {
        switch (method, path) {
        case ("POST", "/api/v1/authorizations"): self = .command(.authorize)
        case ("POST", "/api/v1/captures"): self = .command(.capture)
        case ("POST", "/api/v1/voids"): self = .command(.void)
        case ("POST", "/api/v1/refunds"): self = .command(.refund)
        case ("GET", "/health"): self = .health
        case ("POST", "/faults"): self = .control(.addFault)
        case ("GET", "/faults"): self = .control(.listFaults)
        case ("DELETE", "/faults"): self = .control(.deleteFaults)
        case ("POST", "/clock"): self = .control(.moveClock)
        case ("GET", "/ledger"): self = .control(.ledger)
        case ("GET", "/requests"): self = .control(.requests)
        case ("GET", _): self = Self.query(path: path)
        default: self = .unknown
        }
    }

    private static func query(path: String) -> Route {
        func identifier(_ folder: String, _ kind: EffectID.Kind) -> EffectID?? {
            guard path.hasPrefix(folder) else { return nil }
            let name = String(path.dropFirst(folder.count))
            return name.isEmpty || name.contains("/") ? nil : .some(EffectID(name, kind))
        }
        if let id = identifier("/api/v1/authorizations/", .authorization) { return .query(.authorization(id)) }
        if let id = identifier("/api/v1/captures/", .capture) { return .query(.capture(id)) }
        if let id = identifier("/api/v1/refunds/", .refund) { return .query(.refund(id)) }
        return .unknown
    }
}
