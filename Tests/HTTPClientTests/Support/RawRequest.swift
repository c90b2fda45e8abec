/// A request as the server read it.
struct RawRequest: Sendable {
    let line: String
    let headers: [String]
    let body: [UInt8]

    /// The values of a field, whatever the case of its name.
    func values(_ name: String) -> [String] {
        headers.compactMap { header in
            let parts = header.split(separator: ":", maxSplits: 1).map { $0.drop { $0 == " " } }
            return parts.first?.lowercased() == name.lowercased() ? parts.dropFirst().joined() : nil
        }
    }
}
