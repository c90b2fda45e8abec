import ArgumentParser
import ConnectionKeeper
import Glibc

/// The connection keeper's process (`BankConnections`): started by the processor, of no use to anybody else.
struct HoldConnections: ParsableCommand {
    static let name = "hold-connections"

    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Holds the connections to the bank of the processor that started it, for a while after its end.",
        shouldDisplay: false
    )

    @Argument(help: "How long, at most.")
    var seconds: Int

    func run() throws {
        let status = ConnectionHolder.run(socket: ConnectionKeeper.socketOfChild, linger: .seconds(seconds))
        guard status == 0 else {
            throw CommandFailure(.usage, "\(Self.name) is started by `processor run`, not by hand")
        }
    }
}
