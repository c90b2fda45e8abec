package import Core
import Synchronization

/// What happened in a world, in order: always as a hash, so that two runs can be compared, and as lines for a reader where asked for.
package final class Trace: Sendable {
    package enum Event: UInt8, Sendable {
        case enqueued, delivered, acknowledged, dropped
        case published, publishFailed
        case claimed, completed, storeFailed, recorded
        case bankAsked, bankAnswered
        case process, fault, phase, deadLetter
        case notified, swept, relayed
    }

    package struct Line: Sendable {
        package let at: Duration
        /// `nil`: concerns all.
        package let payment: String?
        package let text: String
    }

    private struct State {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var lines: [Line] = []

        mutating func mix(_ word: UInt64) {
            hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
        }
    }

    private let time: VirtualTime
    private let isRecording: Bool
    private let state = Mutex(State())

    package init(time: VirtualTime, isRecording: Bool) {
        self.time = time
        self.isRecording = isRecording
    }

    package var hash: UInt64 { state.withLock { $0.hash } }

    package var lines: [Line] { state.withLock { $0.lines } }

    package func note(
        _ event: Event,
        _ number: UInt64,
        payment: @autoclosure () -> String? = nil,
        _ text: @autoclosure () -> String
    ) {
        let now = time.uptime()
        state.withLock { state in
            state.mix(UInt64(event.rawValue))
            state.mix(UInt64(bitPattern: now.microseconds))
            state.mix(number)
        }
        guard isRecording else { return }
        let line = Line(at: now, payment: payment(), text: text())
        state.withLock { $0.lines.append(line) }
    }

    package func note(
        _ event: Event,
        _ number: UInt64,
        _ message: Message,
        _ text: @autoclosure () -> String = ""
    ) {
        note(event, number, payment: message.headers[HeaderName.paymentID]?.string?.lowercased()) {
            "\(event) #\(number) \(message.summary) \(text())"
        }
    }

    private func note(
        _ event: Event,
        _ number: UInt64,
        payment: @autoclosure () -> String?,
        _ text: () -> String
    ) {
        note(event, number, payment: payment(), text())
    }
}

extension Message {
    /// Enough to recognise it by, and nothing of a card.
    var summary: String {
        var words = [type ?? "no type", headers[HeaderName.idempotencyKey]?.string ?? "no key"]
        if let correlationID { words.append("for \(correlationID)") }
        if case .bool(let isReplayed)? = headers[HeaderName.idempotentReplayed] {
            words.append(isReplayed ? "replayed" : "first")
        }
        if let code = headers[HeaderName.errorCode]?.string { words.append("error \(code)") }
        if type?.hasSuffix(".result.v1") == true, let reply = try? JSONParser.parse(body) {
            words.append(reply["outcome"]?.string ?? "?")
            if let code = reply["error"]?["code"]?.string { words.append(code) }
        }
        return words.joined(separator: " ")
    }
}
