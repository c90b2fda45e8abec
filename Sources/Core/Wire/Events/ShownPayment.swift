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
    func instant(_ field: StaticString) -> String? { text(field) }

    private func text(_ field: StaticString) -> String? {
        guard let start = bytes.startOfText(named: field),
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\""))
        else { return nil }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private static let name = Array(#","payment":"#.utf8)
    private static let beginning = Array(#","payment":{"#.utf8)
}

extension Collection<UInt8> where Index == Int {
    /// Behind `"name":"`; `nil` where there is none.
    fileprivate func startOfText(named name: StaticString) -> Int? {
        let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        let quote = UInt8(ascii: "\"")
        let length = name.count + 4
        guard count >= length else { return nil }
        return (startIndex...(endIndex - length)).first { position in
            self[position] == quote && self[position + name.count + 1] == quote
                && self[position + name.count + 2] == UInt8(ascii: ":") && self[position + name.count + 3] == quote
                && self[position + 1..<position + name.count + 1].elementsEqual(name)
        }
        .map { $0 + length }
    }

    fileprivate func lastPosition(of pattern: [UInt8]) -> Int? {
        guard count >= pattern.count else { return nil }
        return (startIndex...(endIndex - pattern.count)).last { position in
            self[position] == pattern[0] && self[position...].starts(with: pattern)
        }
    }
}
