import Core
import Glibc
import HTTPClient
import Synchronization
import TestSupport

/// A bank simulator of a test's own.
final class BankProcess: Sendable {
    let child: Child
    let url: String
    private let web: WebClient

    /// One effect that the bank has had.
    struct LedgerEntry: Hashable, Sendable {
        let operation: String
        let bankKey: String
        let bankID: String
        let authorizationID: String
        let amount: Int64
    }

    struct Request: Hashable, Sendable {
        let path: String
        let bankKey: String
        let fault: String?
        let isReplay: Bool
        /// `nil` while it is executing, and where there never was an answer.
        let status: Int64?
    }

    init(_ environment: [String: String]) async throws {
        var all = [
            "HOST": "127.0.0.1", "PORT": "0", "FAILURE_RATE": "0", "MIN_LATENCY_MS": "0", "MAX_LATENCY_MS": "0",
            "CARD_BALANCE_CENTS": "100000000",
        ]
        all.merge(environment) { $1 }
        let child = try Child(TestPrograms.bankSimulator(), environment: all)
        self.child = child
        do {
            let port: Int = try await eventually("the bank listened", context: { child.lastWords }) {
                let output = child.standardOutput
                guard output.hasSuffix("\n") else { return nil }
                return output.split(separator: "\n").first?.split(separator: ":").last.flatMap { Int($0) }
            }
            url = "http://127.0.0.1:\(port)"
            web = try WebClient(port: port)
        } catch {
            child.send(SIGKILL)
            throw error
        }
    }

    func stop() async {
        await web.shutdown()
        child.send(SIGKILL)
        _ = try? await child.end()
    }

    func ledger() async throws -> [LedgerEntry] {
        try await web.json("/ledger")["entries"]?.elements.map { entry in
            LedgerEntry(
                operation: entry["operation"]?.string ?? "",
                bankKey: entry["idempotency_key"]?.string ?? "",
                bankID: entry["id"]?.string ?? "",
                authorizationID: entry["authorization_id"]?.string ?? "",
                amount: entry["amount"]?.integer ?? 0
            )
        } ?? []
    }

    func requests() async throws -> [Request] {
        try await web.json("/requests")["requests"]?.elements.map { request in
            Request(
                path: request["path"]?.string ?? "",
                bankKey: request["idempotency_key"]?.string ?? "",
                fault: request["fault"]?.string,
                isReplay: request["replayed"] == .bool(true),
                status: request["status"]?.integer
            )
        } ?? []
    }

    /// Makes the next requests go wrong; see docs/bank.md#the-bank-simulator for the names.
    func fault(
        _ name: String,
        on operation: OperationKind? = nil,
        count: Int? = 1,
        milliseconds: Int? = nil,
        probability: Double? = nil
    ) async throws {
        var members: [String: JSONValue] = [
            "fault": .string(name), "operation": .string(operation?.rawValue ?? "any"),
            "count": count.map { .integer($0) } ?? .null,
        ]
        members["milliseconds"] = milliseconds.map { .integer($0) }
        members["probability"] = probability.map { .number("\($0)") }
        let body = String(decoding: JSONValue.object(members).encoded, as: UTF8.self)
        let answer = try await web.send(.post, "/faults", body: body)
        guard answer.status == 201 else { throw ChildError("the bank refused the fault \(body)") }
    }

    /// Executes the next request of a kind, or not, and answers something else.
    func answer(
        _ status: Int,
        _ answer: String,
        on operation: OperationKind,
        executes: Bool = true
    ) async throws {
        let members: [String: JSONValue] = [
            "fault": .string("status"), "operation": .string(operation.rawValue), "count": .integer(1),
            "status": .integer(status), "body": .string(answer), "executes": .bool(executes),
        ]
        let body = String(decoding: JSONValue.object(members).encoded, as: UTF8.self)
        let made = try await web.send(.post, "/faults", body: body)
        guard made.status == 201 else { throw ChildError("the bank refused the fault \(body)") }
    }

    /// As somebody else with our credentials might.
    func voidBehindOurBack(_ authorizationID: String) async throws {
        let answer = try await web.send(
            .post,
            "/api/v1/voids",
            headers: [HTTPHeader("Idempotency-Key", Random.id)],
            body: #"{"authorization_id":"\#(authorizationID)"}"#
        )
        guard answer.status == 200 else { throw ChildError("the bank refused the void") }
    }

    /// Sets the bank's clock apart from everybody else's.
    func setClock(ahead seconds: Int) async throws {
        let answer = try await web.send(.post, "/clock", body: #"{"offset_seconds":\#(seconds)}"#)
        guard answer.status == 200 else { throw ChildError("the bank refused the clock") }
    }

    func clearFaults() async throws {
        _ = try await web.send(.delete, "/faults")
    }
}
