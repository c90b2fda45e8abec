import Core
import Crypto
import PaymentCommands

/// Tells whether a line of a batch is the one that a key was made for.
enum CommandDigest {
    /// In hexadecimal digits. Nothing of the card goes into it: a digest of a card number can be guessed.
    static func of(_ command: OutgoingCommand) -> String {
        var members: [String: JSONValue] = [:]
        if case .object(let known)? = try? JSONParser.parse(command.body) { members = known }
        members["card"] = nil
        members["sealed_card"] = nil
        let content = JSONValue.object([
            "body": .object(members), "merchant_id": .optional(command.merchantID),
            "operation": .string(command.kind.rawValue),
            "payment_id": .optional(command.hasMadePaymentID ? nil : command.paymentID.lowercased()),
        ])
        return SHA256.hash(data: content.encoded).prefix(16).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
