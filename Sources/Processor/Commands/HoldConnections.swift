import ArgumentParser
import ConnectionKeeper
import Core
import Dispatch
import Postgres

/// The connection keeper's process (`BankConnections`): started by the processor, of no use to anybody else.
struct HoldConnections: AsyncParsableCommand {
    static let name = "hold-connections"

    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Holds the connections to the bank of the processor that started it, for a while after its end.",
        shouldDisplay: false
    )

    @Argument(help: "How long, at most.")
    var seconds: Int

    func run() async throws {
        let (answers, continuation) = AsyncStream<(answer: HeldAnswer, note: [UInt8])>.makeStream()
        // It blocks, on a thread of its own.
        async let status = withCheckedContinuation { (holder: CheckedContinuation<Int32, Never>) in
            DispatchQueue(label: "connection holder").async {
                let status = ConnectionHolder.run(linger: .seconds(seconds)) { continuation.yield(($0, $1)) }
                continuation.finish()
                holder.resume(returning: status)
            }
        }
        var recorder: FailedRequestRecorder?
        for await (answer, note) in answers {
            let response = BankResponse(status: answer.status, bytes: answer.body, isReplayed: false)
            guard Verdict.isCompleteError(response), let request = RequestOrigin(bytes: answer.tag) else { continue }
            recorder = recorder ?? FailedRequestRecorder(conninfo: String(decoding: note, as: UTF8.self))
            // The takeover does not wait for it: one that comes too late changes nothing.
            await recorder?.record(request, within: .seconds(seconds))
        }
        guard await status == 0 else {
            throw CommandFailure(.usage, "\(Self.name) is started by `processor run`, not by hand")
        }
    }
}

/// Notes in the store which requests were answered with an error when their processor was gone.
private struct FailedRequestRecorder {
    private let pool: PostgresPool

    init?(conninfo: String) {
        guard let configuration = try? PostgresConfiguration(conninfo: conninfo) else { return nil }
        let pool = PostgresPool(configuration.named("processor-keeper"), size: 1)
        // Ends with the process.
        Task { await pool.run() }
        self.pool = pool
    }

    /// Tries again while the database is away. What cannot be noted stays an unanswered request, as without a keeper.
    func record(_ request: RequestOrigin, within limit: Duration) async {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            do throws(StoreError) {
                return try await pool.storeTransaction { connection throws(PostgresError) in
                    try FailedRequestNote(request).write(on: connection)
                }
            } catch {
                guard error.isRetriable else { return }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
