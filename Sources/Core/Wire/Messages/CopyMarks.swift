/// Tells the headers that we add to a copy on its way from the same names in the hands of a client, where they change nothing
/// (docs/contract.md#commands): a copy carries a keyed digest over them.
package struct CopyMarks: Sendable {
    private let fingerprinter: Fingerprinter

    package init(_ fingerprinter: Fingerprinter) {
        self.fingerprinter = fingerprinter
    }

    /// The message with the mark that fits the headers of ours that it has, if any.
    package func marked(_ message: Message) -> Message {
        var message = message
        message.headers[HeaderName.copyMark] = nil
        if let fields = fields(of: message) {
            message.headers[HeaderName.copyMark] = .string(Self.text(of: fingerprinter.digest(of: fields)))
        }
        return message
    }

    /// The message without what is not ours though it is called so.
    func trusted(_ message: Message) -> Message {
        guard let fields = fields(of: message) else { return message }
        let mark = message.headers[HeaderName.copyMark]
        // One that was under way while the secret changed is ours, too.
        if mark == .string(Self.text(of: fingerprinter.digest(of: fields)))
            || fingerprinter.previousDigests(of: fields).contains(where: { mark == .string(Self.text(of: $0)) })
        {
            return message
        }
        var message = message
        for name in HeaderName.bookkeeping { message.headers[name] = nil }
        return message
    }

    /// `nil` where there is nothing to mark.
    private func fields(of message: Message) -> [[UInt8]]? {
        var fields: [[UInt8]] = []
        for name in HeaderName.marked.sorted() {
            guard let value = message.headers[name] else { continue }
            fields.append(Array("\(name)=\(value)".utf8))
        }
        guard !fields.isEmpty else { return nil }
        let ids = [
            message.messageID, message.headers[HeaderName.paymentID]?.string,
            message.headers[HeaderName.idempotencyKey]?.string,
        ]
        return [Array("copy".utf8)] + ids.map { Array(($0 ?? "").utf8) } + fields
    }

    private static func text(of digest: [UInt8]) -> String { Hex.text(of: digest.prefix(16)) }
}

/// A sink whose copies carry the mark of their headers.
struct MarkingSink: MessageSink {
    private let sink: any MessageSink
    private let marks: CopyMarks

    init(_ sink: any MessageSink, _ marks: CopyMarks) {
        self.sink = sink
        self.marks = marks
    }

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        switch destination {
        case .commands, .retry: try await sink.publish(marks.marked(message), to: destination)
        case .replies, .deadLetters, .event, .sweeps: try await sink.publish(message, to: destination)
        }
    }
}
