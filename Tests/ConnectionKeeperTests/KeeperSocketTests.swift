import Glibc
import Testing

@testable import ConnectionKeeper

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
