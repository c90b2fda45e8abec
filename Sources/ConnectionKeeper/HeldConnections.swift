import Glibc

/// The duplicates that a keeper holds, and what becomes of each.
struct HeldConnections: ~Copyable {
    /// More are not held: theirs ends with its owner, as it would without a keeper.
    private let limit: Int
    private var held: [HeldConnection] = []

    init(limit: Int) {
        self.limit = limit
    }

    deinit {
        for connection in held { close(connection.descriptor) }
    }

    var count: Int { held.count }
    var isEmpty: Bool { held.isEmpty }

    /// Takes over the descriptor. One that is held under the same id is closed.
    mutating func add(_ descriptor: Int32, id: UInt64) {
        release(id)
        guard held.count < limit else {
            close(descriptor)
            return
        }
        held.append(HeldConnection(id: id, descriptor: descriptor))
    }

    mutating func release(_ id: UInt64) {
        guard let index = held.firstIndex(where: { $0.id == id }) else { return }
        close(held.remove(at: index).descriptor)
    }

    /// What to wait for, in the order of `check`. A connection that is dead in both directions is always told.
    func interests(reading: Bool) -> [pollfd] {
        held.map { pollfd(fd: $0.descriptor, events: reading ? Int16(POLLIN) : 0, revents: 0) }
    }

    /// Lets go of those that are dead, be it that their owner shut them down and could not tell.
    mutating func check(at polled: ArraySlice<pollfd>) {
        keep(polled) { _ in false }
    }

    /// Lets go of those that their server has closed or answered.
    ///
    /// - Parameter onAnswer: told of each answer that could be read, and on which connection.
    mutating func read(_ polled: ArraySlice<pollfd>, onAnswer: (_ id: UInt64, _ status: Int, _ body: [UInt8]) -> Void) {
        keep(polled) { connection in
            switch connection.readOn() {
            case .open: return true
            case .ended: return false
            case .answered(let status, let body):
                onAnswer(connection.id, status, body)
                return false
            }
        }
    }

    /// - Parameter isKept: asked for those where something has happened.
    private mutating func keep(_ polled: ArraySlice<pollfd>, where isKept: (inout HeldConnection) -> Bool) {
        var kept: [HeldConnection] = []
        kept.reserveCapacity(held.count)
        for (var connection, state) in zip(held, polled) {
            if state.revents == 0 || isKept(&connection) {
                kept.append(connection)
            } else {
                close(connection.descriptor)
            }
        }
        held = kept
    }
}

/// A duplicate of a connection's descriptor, and what its server has said since the owner's death.
struct HeldConnection {
    let id: UInt64
    let descriptor: Int32
    private var answer = AnswerBytes()

    init(id: UInt64, descriptor: Int32) {
        self.id = id
        self.descriptor = descriptor
    }

    /// What has become of it.
    enum Reading: Equatable {
        case open
        /// The server has closed the connection, or has begun a final answer that cannot be read.
        case ended
        case answered(status: Int, body: [UInt8])
    }

    /// Reads what has come, so that the server never waits for room.
    ///
    /// What comes over TLS may be an answer or anything else: such a connection is held on.
    mutating func readOn() -> Reading {
        withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 1) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return count < 0 && [EAGAIN, EINTR].contains(errno) ? .open : .ended }
            answer.append(buffer.prefix(count))
            return switch answer.state {
            case .open: .open
            case .unreadable: .ended
            case .whole(let status, let body): .answered(status: status, body: body)
            }
        }
    }
}

/// What a server has answered on a held connection since the owner's death.
package struct HeldAnswer: Sendable, Equatable {
    /// As the owner had put it on the board for the request (`RequestBoard`).
    package let tag: [UInt8]
    /// Of the answer in plain HTTP/1.x, a final one.
    package let status: Int
    /// Whole, as the server announced its length.
    package let body: [UInt8]
}

/// The bytes of an answer, as far as they have come.
struct AnswerBytes {
    enum State: Equatable {
        /// More must come, or nothing of it can be read: over TLS it may be an answer or anything else.
        case open
        /// A final answer has begun whose end is not announced, or that is too large to be of use.
        case unreadable
        case whole(status: Int, body: [UInt8])
    }

    /// Of an answer that is kept; the bank's have some hundred bytes.
    static let limit = 16_384

    private var bytes: [UInt8] = []

    mutating func append(_ more: some Sequence<UInt8>) {
        bytes += more.prefix(Self.limit + 1 - bytes.count)
    }

    var state: State {
        guard isFinal else { return .open }
        guard bytes.count <= Self.limit else { return .unreadable }
        guard let head = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return .open }
        let lines = String(decoding: bytes[..<head.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
            let length = Self.length(lines.dropFirst())
        else { return .unreadable }
        let body = bytes[head.upperBound...]
        return body.count < length ? .open : .whole(status: status, body: Array(body.prefix(length)))
    }

    /// Whether it begins as an answer after which no other one follows (1xx).
    private var isFinal: Bool {
        bytes.count >= 10 && bytes.starts(with: "HTTP/1.".utf8) && bytes[8] == UInt8(ascii: " ")
            && (UInt8(ascii: "2")...UInt8(ascii: "5")).contains(bytes[9])
    }

    private static func length(_ fields: some Sequence<Substring>) -> Int? {
        for field in fields {
            let parts = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            return Int(parts[1].filter { $0 != " " && $0 != "\t" }).flatMap { $0 < 0 ? nil : $0 }
        }
        return nil
    }
}
