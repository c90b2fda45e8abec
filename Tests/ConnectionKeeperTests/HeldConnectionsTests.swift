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

    private func look(at held: inout HeldConnections, reading: Bool) {
        var polled = held.interests(reading: reading)
        _ = poll(&polled, nfds_t(polled.count), 0)
        held.look(at: polled[...], reading: reading)
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
        look(at: &held, reading: false)
        #expect(held.count == 2)
        var bytes = [UInt8](repeating: 0, count: 20)
        #expect(recv(first.held, &bytes, bytes.count, Int32(MSG_PEEK)) == 12)
        // What its owner does where it cannot tell the keeper.
        shutdown(second.held, Int32(SHUT_RDWR))
        look(at: &held, reading: false)
        #expect(held.count == 1)
        held.release(1)
        #expect(held.count == 0)
    }

    static let answers: [([String], Bool)] = [
        (["HTTP/1.1 200 OK\r\n"], true), (["HTTP/1.0 402 Payment Required\r\n"], true), (["HTTP/1.1 5"], true),
        (["HTT", "P/1.1 ", "500 x"], true), (["HTTP/1.1 102 Processing\r\n\r\n"], false), (["HTTP/1.1 "], false),
        (["\u{17}\u{3}\u{3}\u{0}\u{40}something over TLS"], false), (["the end of another answer"], false), ([], false),
    ]

    @Test("after the owner's death all is read, and a final answer in plain HTTP ends a connection", arguments: answers)
    func reading(texts: [String], isFinal: Bool) throws {
        let (descriptor, server) = try pair()
        defer { close(server) }
        var held = HeldConnections(limit: 10)
        held.add(descriptor, id: 1)
        for text in texts {
            send(server, text, text.utf8.count, Int32(MSG_NOSIGNAL))
            look(at: &held, reading: true)
        }
        #expect(held.count == (isFinal ? 0 : 1))
        guard !isFinal else { return }
        var byte: UInt8 = 0
        #expect(recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT)) == -1)
        shutdown(server, Int32(SHUT_WR))
        look(at: &held, reading: true)
        #expect(held.count == 0)
    }
}
