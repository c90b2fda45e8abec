/// What the sender of a command recognizes its reply by: any bytes, since AMQP does not say that they are text.
package struct CorrelationID: Hashable, Sendable {
    private enum Form: Hashable, Sendable {
        case text(String)
        /// Not UTF-8.
        case bytes([UInt8])
    }

    private let form: Form

    package init(_ text: String) {
        form = .text(text)
    }

    package init(bytes: [UInt8]) {
        form = String(validating: bytes, as: UTF8.self).map(Form.text) ?? .bytes(bytes)
    }

    /// `nil` where it is not UTF-8.
    package var text: String? {
        guard case .text(let text) = form else { return nil }
        return text
    }

    package var bytes: [UInt8] {
        switch form {
        case .text(let text): Array(text.utf8)
        case .bytes(let bytes): bytes
        }
    }
}

extension CorrelationID: ExpressibleByStringInterpolation {
    package init(stringLiteral text: String) {
        self.init(text)
    }
}

extension CorrelationID: CustomStringConvertible {
    /// The text, or the bytes as `0x…`.
    package var description: String {
        switch form {
        case .text(let text): text
        case .bytes(let bytes): "0x" + Hex.text(of: bytes)
        }
    }
}
