import Glibc
import Testing

@testable import ConnectionKeeper

@Suite("Held connections", .timeLimit(.minutes(1)))
struct HeldConnectionsTests {
    /// A pair of connected stream sockets: what is held, and the server's end.
    private func pair() throws -> (held: Int32, server: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    /// Whether the server's end sees that nobody has the other one any more.
    private func seesEnd(_ server: Int32) -> Bool {
        var byte: UInt8 = 0
        return recv(server, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0
    }

    private func check(at held: inout HeldConnections) {
        var polled = held.interests(reading: false)
        _ = poll(&polled, nfds_t(polled.count), 0)
        held.check(at: polled[...])
    }

    /// - Returns: the answers: on which connection, the status and the body.
    @discardableResult
    private func read(_ held: inout HeldConnections) -> [String] {
        var polled = held.interests(reading: true)
        _ = poll(&polled, nfds_t(polled.count), 0)
        var answers: [String] = []
        held.read(polled[...]) { answers.append("\($0): \($1) \(String(decoding: $2, as: UTF8.self))") }
        return answers
    }

    @Test("what is released, replaced, beyond the limit or left over at the end is closed, nothing else")
    func closing() throws {
        let pairs = try (0..<4).map { _ in try pair() }
        defer { for pair in pairs { close(pair.server) } }
        do {
            var held = HeldConnections(limit: 2)
            held.add(pairs[0].held, id: 1)
            held.add(pairs[1].held, id: 2)
            held.add(pairs[2].held, id: 3)
            #expect(held.count == 2)
            #expect(pairs.map { seesEnd($0.server) } == [false, false, true, false])
            held.release(1)
            held.release(9)
            held.add(pairs[3].held, id: 2)
            #expect(held.count == 1)
            #expect(pairs.map { seesEnd($0.server) } == [true, true, true, false])
            withExtendedLifetime(held) {}
        }
        #expect(seesEnd(pairs[3].server))
    }

    @Test("while the owner lives nothing is read, and only a connection that is dead is let go")
    func watching() throws {
        let (first, second) = (try pair(), try pair())
        defer { for server in [first.server, second.server] { close(server) } }
        var held = HeldConnections(limit: 10)
        held.add(first.held, id: 1)
        held.add(second.held, id: 2)
        send(first.server, "HTTP/1.1 200", 12, Int32(MSG_NOSIGNAL))
        shutdown(first.server, Int32(SHUT_WR))
        check(at: &held)
        #expect(held.count == 2)
        var bytes = [UInt8](repeating: 0, count: 20)
        #expect(recv(first.held, &bytes, bytes.count, Int32(MSG_PEEK)) == 12)
        // What its owner does where it cannot tell the keeper.
        shutdown(second.held, Int32(SHUT_RDWR))
        check(at: &held)
        #expect(held.count == 1)
        held.release(1)
        #expect(held.count == 0)
    }

    /// What comes, whether the connection is let go, and what is read.
    static let answers: [([String], Bool, [String])] = [
        (["HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}"], true, ["1: 500 {}"]),
        (["HTTP/1.1 402 x\r\ncontent-length:5\r\nDate: now\r\n", "\r\nabc", "de"], true, ["1: 402 abcde"]),
        (["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], true, ["1: 200 "]),
        (["HTTP/1.0 402 Payment Required\r\n\r\nuntil it is closed"], true, []),
        (["HTTP/1.1 500 x\r\nContent-Length: many\r\n\r\n"], true, []),
        (["HTTP/1.1 500 x\r\nContent-Length: 20000\r\n\r\n", String(repeating: "x", count: 20_000)], true, []),
        (["HTTP/1.1 500 x\r\nContent-Length: 9\r\n\r\nabc"], false, []),
        (["HTT", "P/1.1 ", "500 x"], false, []), (["HTTP/1.1 102 Processing\r\n\r\n"], false, []),
        (["HTTP/1.1 "], false, []), (["\u{17}\u{3}\u{3}\u{0}\u{40}something over TLS"], false, []),
        (["the end of another answer"], false, []), ([], false, []),
    ]

    @Test("after the owner's death all is read, and a whole answer in plain HTTP ends a connection", arguments: answers)
    func reading(texts: [String], isOver: Bool, expected: [String]) throws {
        let (descriptor, server) = try pair()
        defer { close(server) }
        var held = HeldConnections(limit: 10)
        held.add(descriptor, id: 1)
        var answers: [String] = []
        for text in texts {
            send(server, text, text.utf8.count, Int32(MSG_NOSIGNAL))
            // As often as there may be something to read.
            for _ in 0..<8 { answers += read(&held) }
        }
        #expect(held.count == (isOver ? 0 : 1))
        #expect(answers == expected)
        guard !isOver else { return }
        var byte: UInt8 = 0
        #expect(recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT)) == -1)
        shutdown(server, Int32(SHUT_WR))
        read(&held)
        #expect(held.count == 0)
    }
}

@Suite("The keeper's socket", .timeLimit(.minutes(1)))
struct KeeperSocketTests {
    @Test("a descriptor arrives as another one for the same file, closed on exec")
    func passing() throws {
        let (owner, keeper) = try KeeperSocket.pair()
        defer { for socket in [owner, keeper] { close(socket.descriptor) } }
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        #expect(owner.send(.hold(id: 7), descriptor: ends[1]) == .sent)
        #expect(owner.send(.release(id: .max)) == .sent)
        close(ends[1])
        guard case .message(.hold(id: 7), let passed?) = keeper.receive() else {
            Issue.record("no descriptor came")
            return
        }
        #expect(fcntl(passed, F_GETFD) == FD_CLOEXEC)
        #expect(write(passed, "x", 1) == 1)
        close(passed)
        var bytes: [UInt8] = [0, 0]
        #expect(read(ends[0], &bytes, 2) == 1)
        #expect(read(ends[0], &bytes, 2) == 0)
        #expect(keeper.receive() == .message(.release(id: .max), descriptor: nil))
        #expect(keeper.receive() == .nothingYet)
    }

    @Test("what was sent before the end is received before it")
    func ending() throws {
        let (owner, keeper) = try KeeperSocket.pair()
        defer { close(keeper.descriptor) }
        #expect(owner.send(.release(id: 1)) == .sent)
        close(owner.descriptor)
        #expect(keeper.receive() == .message(.release(id: 1), descriptor: nil))
        #expect(keeper.receive() == .ended)
        #expect(keeper.send(.release(id: 1)) == .ended)
    }

    @Test("what is no message is passed over")
    func noMessages() throws {
        let (owner, keeper) = try KeeperSocket.pair()
        defer { for socket in [owner, keeper] { close(socket.descriptor) } }
        for text in ["x", String(repeating: "x", count: 16), String(repeating: "x", count: 100)] {
            #expect(send(owner.descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) > 0)
        }
        #expect(owner.send(.hold(id: 3)) == .sent)
        #expect(keeper.receive() == .message(.hold(id: 3), descriptor: nil))
        #expect(keeper.receive() == .nothingYet)
    }

    @Test("a holder without a keeper's socket refuses to run")
    func noSocket() {
        #expect(!HolderProcess.isKeeperSocket(-1))
        var ends: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(!HolderProcess.isKeeperSocket(ends[0]))
    }
}
