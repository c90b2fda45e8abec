import ConnectionKeeper
import Glibc
import HTTPClient
import Synchronization
import TestSupport
import Testing

@Suite("The connection keeper", .timeLimit(.minutes(3)))
struct ConnectionKeeperTests {
    /// What a keeper told of itself.
    private final class Events: Sendable {
        private let events = Mutex<[ConnectionKeeper.Event]>([])

        var all: [ConnectionKeeper.Event] { events.withLock { $0 } }

        func add(_ event: ConnectionKeeper.Event) { events.withLock { $0.append(event) } }
    }

    private func keeper(linger: Int = 600) throws -> ConnectionKeeper {
        try ConnectionKeeper(executable: TestPrograms.keeperProbe(), arguments: ["hold", "\(linger)"])
    }

    @Test("a connection that its client ends is ended for its server at once, and released")
    func released() async throws {
        let bank = try BankSocket()
        let keeper = try keeper()
        let process = ProcessInspection(processID: keeper.processID)
        let hooks = ConnectionHooks {
            keeper.hold($0, id: $1)
        } closing: {
            keeper.release(id: $0)
        }
        let client = try HTTPClient(configuration: HTTPClientConfiguration(connectionHooks: hooks))
        let url = bank.url
        let call = Task {
            try await client.send(HTTPRequest(method: .post, url: url, body: [120], timeout: .seconds(60)))
        }
        try await eventually("the request came") { bank.hasRequest() }
        try await eventually("the keeper holds it") { process.sockets == 2 }
        #expect(!bank.isEnded())
        call.cancel()
        _ = await call.result
        try await eventually("the connection has ended") { bank.isEnded() }
        try await eventually("the keeper has let it go") { process.sockets == 1 }
        #expect(process.isRunning)
        keeper.close()
        #expect(!keeper.isRunning)
        try await eventually("the keeper is gone") { !process.isRunning }
        #expect(keeper.skipped == 0)
    }

    @Test("released by itself, a connection ends with the last descriptor of its owner")
    func releasedAlone() async throws {
        let keeper = try keeper()
        let process = ProcessInspection(processID: keeper.processID)
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        let server = ends[1]
        defer { close(server) }
        keeper.hold(ends[0], id: 1)
        close(ends[0])
        try await eventually("the keeper holds it") { process.sockets == 2 }
        var byte: UInt8 = 0
        #expect(recv(server, &byte, 1, Int32(MSG_DONTWAIT)) == -1)
        keeper.release(id: 1)
        try await eventually("it has ended") { recv(server, &byte, 1, Int32(MSG_DONTWAIT)) == 0 }
    }

    @Test("a keeper that was let go holds on to what it has")
    func letGo() async throws {
        let keeper = try keeper(linger: 1)
        let process = ProcessInspection(processID: keeper.processID)
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        let server = ends[1]
        defer { close(server) }
        keeper.hold(ends[0], id: 1)
        keeper.close()
        close(ends[0])
        var byte: UInt8 = 0
        // On its way to the keeper, or there.
        #expect(recv(server, &byte, 1, Int32(MSG_DONTWAIT)) == -1)
        try await eventually("it has ended") { recv(server, &byte, 1, Int32(MSG_DONTWAIT)) == 0 }
        try await eventually("the keeper is gone") { !process.isRunning }
    }

    @Test("a keeper that does not read holds up nobody: what it cannot be told is counted")
    func unresponsive() throws {
        let events = Events()
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let keeper = try ConnectionKeeper(executable: "/bin/sleep", arguments: ["600"], onEvent: events.add)
        defer {
            kill(keeper.processID, SIGKILL)
            waitpid(keeper.processID, nil, 0)
        }
        var id: UInt64 = 0
        while keeper.skipped == 0, id < 1_000_000 {
            id += 1
            keeper.hold(descriptor, id: id)
        }
        keeper.hold(descriptor, id: id + 1)
        keeper.release(id: 1)
        #expect(keeper.skipped == 2)
        #expect(events.all == [.unresponsive])
        #expect(keeper.isRunning)
    }

    @Test("a keeper that dies is told of once, and everything goes on without it")
    func dead() async throws {
        let events = Events()
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let keeper = try ConnectionKeeper(executable: "/bin/true", arguments: [], onEvent: events.add)
        // A process that another test is just starting may have its end of the socket for a moment.
        try await eventually("its end was noticed") {
            keeper.release(id: 1)
            return !keeper.isRunning
        }
        for id: UInt64 in 1...3 {
            keeper.hold(descriptor, id: id)
            keeper.release(id: id)
        }
        #expect(events.all == [.ended])
        #expect(keeper.skipped == 3)
    }

    @Test("a program that is not there is an error")
    func noProgram() {
        #expect(throws: ConnectionKeeperError.noProcess(errno: ENOENT)) {
            try ConnectionKeeper(executable: "/nowhere/keeper", arguments: [])
        }
    }
}
