import ConnectionKeeper
import Glibc
import HTTPClient

// A process with one request in flight, for tests that kill it; and its keeper.
//
//     KeeperProbe hold SECONDS                 the keeper
//     KeeperProbe call URL SECONDS [FILE]      sends a request through a client with a keeper; prints the keeper's process id;
//                                              the keeper writes into the file what was answered to it
//     KeeperProbe call-unkept URL              the same without a keeper
//     KeeperProbe abandon URL SECONDS          as `call`, and leaves in good order once the request is in flight

let arguments = CommandLine.arguments.dropFirst()
let seconds = arguments.dropFirst().lazy.compactMap { Int($0) }.first ?? 0
let tag = Array("0123456789012345678901234567890123456789".utf8)

switch arguments.first {
case "hold":
    let status = ConnectionHolder.run(linger: .seconds(seconds)) { answer, note in
        let text = answer.tag + Array(" \(answer.status) ".utf8) + answer.body
        let file = open(String(decoding: note, as: UTF8.self), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        _ = write(file, text, text.count)
        close(file)
    }
    exit(status)
case "call", "abandon":
    // As a library may leave one open on exec.
    _ = dup(STDOUT_FILENO)
    let note = CommandLine.arguments.count > 4 ? CommandLine.arguments[4] : ""
    let keeper = try ConnectionKeeper(
        executable: "/proc/self/exe",
        arguments: ["hold", "\(seconds)"],
        note: Array(note.utf8)
    )
    print(keeper.processID)
    fflush(nil)
    let hooks = ConnectionHooks {
        keeper.hold($0, id: $1)
    } requesting: {
        keeper.board.write($1, id: $0)
    } answered: {
        keeper.board.erase(id: $0)
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
    let body = Array("x".utf8)
    let exchange = Task {
        try await client.send(HTTPRequest(method: .post, url: url, body: body, timeout: .seconds(600), tag: tag))
    }
    if abandons {
        while await client.inFlight == 0 { await Task.yield() }
        await client.abandon()
        exit(0)
    }
    _ = try await exchange.value
}
