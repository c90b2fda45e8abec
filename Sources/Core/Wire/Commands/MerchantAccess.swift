/// Which user of the broker may act for which merchants (docs/contract.md#merchants).
package struct MerchantAccess: Sendable {
    private let merchants: [String: Set<MerchantID>]

    package init(_ merchants: [String: Set<MerchantID>]) {
        self.merchants = merchants
    }

    /// - Throws: where nobody has published the message whom the broker vouches for, or somebody who may not act for this merchant, or
    ///   who would have the reply sent into somebody else's queue.
    func check(_ message: Message, _ merchantID: MerchantID) throws(InvalidField) {
        guard let user = Self.user(of: message) else {
            throw InvalidField("user_id", "is missing: it must be the user of the connection")
        }
        guard merchants[user]?.contains(merchantID) == true else {
            throw InvalidField(HeaderName.merchantID, "is none that this user of the broker may act for")
        }
        guard isOwnReplyTo(message) else { throw InvalidField("reply_to", "must begin with replies.<user>.") }
    }

    /// Whether its replies go to a queue of the publisher's own, or to the common one.
    func isOwnReplyTo(_ message: Message) -> Bool {
        guard let address = message.replyTo else { return true }
        guard let user = Self.user(of: message) else { return false }
        return address.utf8.starts(with: "\(ReplyAddress.prefix)\(user).".utf8)
    }

    /// Of a delivery, or of a copy of ours.
    private static func user(of message: Message) -> String? {
        message.publisher ?? message.headers[HeaderName.publishedBy]?.string
    }
}
