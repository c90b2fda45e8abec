/// The payment at the end of a reply's body, as bytes: an event shows the same, and neither reads nor writes it anew.
struct ShownPayment {
    /// `,"payment":{…},"payment_id":"…"}`.
    let bytes: ArraySlice<UInt8>

    /// - Parameter reply: canonical (`Reply.encoded`), so `payment` and `payment_id` are its last members.
    /// - Returns: `nil` where it shows no payment.
    init?(in reply: [UInt8]) {
        // No string holds a bare quotation mark, and nothing within a payment has this name: the last one is the reply's own.
        guard let start = reply.lastPosition(of: Self.name), reply[start...].starts(with: Self.beginning) else {
            return nil
        }
        bytes = reply[start...]
    }

    var status: String? { text("status") }

    /// A time as it is written, `nil` where there is none.
    func instant(_ field: String) -> String? { text(field) }

    private func text(_ field: String) -> String? {
        guard let start = bytes.firstPosition(after: Array("\"\(field)\":\"".utf8)),
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\""))
        else { return nil }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private static let name = Array(#","payment":"#.utf8)
    private static let beginning = Array(#","payment":{"#.utf8)
}

extension Collection<UInt8> where Index == Int {
    fileprivate func firstPosition(after pattern: [UInt8]) -> Int? {
        guard count >= pattern.count else { return nil }
        return (startIndex...(endIndex - pattern.count)).first { self[$0...].starts(with: pattern) }
            .map { $0 + pattern.count }
    }

    fileprivate func lastPosition(of pattern: [UInt8]) -> Int? {
        guard count >= pattern.count else { return nil }
        return (startIndex...(endIndex - pattern.count)).last { position in
            self[position] == pattern[0] && self[position...].starts(with: pattern)
        }
    }
}
