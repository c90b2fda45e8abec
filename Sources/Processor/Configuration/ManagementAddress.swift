/// Where the broker's management API is, and as whom: `amqp.management-url`.
struct ManagementAddress: Hashable, Sendable {
    let address: BankAddress
    /// `user:password` as given; `nil`: the user of `amqp.url`.
    let credentials: Secret?

    init(_ text: String) throws(ValueProblem) {
        guard let start = text.firstRange(of: "://")?.upperBound,
            let at = text[start...].prefix(while: { $0 != "/" }).lastIndex(of: "@")
        else {
            address = try BankAddress(text)
            credentials = nil
            return
        }
        guard text[start..<at].contains(":") else { throw ValueProblem("has a user without a password") }
        address = try BankAddress(String(text[..<start] + text[text.index(after: at)...]))
        credentials = Secret(String(text[start..<at]))
    }
}

extension ValueForm where Value == ManagementAddress {
    static let managementURL = ValueForm(
        allowed: "http://host:port or https://host:port, perhaps with user:password@",
        redact: Redaction.brokerURL
    ) { text throws(ValueProblem) in
        try ManagementAddress(text)
    }
}
