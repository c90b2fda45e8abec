import ConnectionKeeper
import Glibc
import HTTPClient

// A process with one request in flight, for tests that kill it; and its keeper.
//
//     KeeperProbe hold SECONDS                 the keeper
//     KeeperProbe call URL SECONDS             sends a request through a client with a keeper; prints the keeper's process id
//     KeeperProbe call-unkept URL              the same without a keeper
//     KeeperProbe abandon URL SECONDS          as `call`, and leaves in good order once the request is in flight

let arguments = CommandLine.arguments.dropFirst()
let seconds = arguments.last.flatMap { Int($0) } ?? 0

switch arguments.first {
case "hold":
    exit(ConnectionHolder.run(socket: ConnectionKeeper.socketOfChild, linger: .seconds(seconds)))
case "call", "abandon":
    // As a library may leave one open on exec.
    _ = dup(STDOUT_FILENO)
    let keeper = try ConnectionKeeper(executable: "/proc/self/exe", arguments: ["hold", "\(seconds)"])
    print(keeper.processID)
    fflush(nil)
    let hooks = ConnectionHooks {
        keeper.hold($0, id: $1)
    } closing: {
        keeper.release(id: $0)
    }
    try await call(hooks, abandons: arguments.first == "abandon")
case "call-unkept":
    try await call(nil, abandons: false)
default:
    exit(Int32(EX_USAGE))
}

func call(_ hooks: ConnectionHooks?, abandons: Bool) async throws {
    let client = try HTTPClient(configuration: HTTPClientConfiguration(connectionHooks: hooks))
    let url = CommandLine.arguments[2]
    let exchange = Task {
        try await client.send(HTTPRequest(method: .post, url: url, body: Array("x".utf8), timeout: .seconds(600)))
    }
    if abandons {
        while await client.inFlight == 0 { await Task.yield() }
        await client.abandon()
        exit(0)
    }
    _ = try await exchange.value
}
