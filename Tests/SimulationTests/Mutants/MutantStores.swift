import Core
import Simulation
import Synchronization

/// Claims with a lease that ends long before the bank must have answered.
struct HastyStore: StoreMutant {
    let store: any ProcessPorts.Store

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        try await store.claim(
            ClaimRequest(
                command: request.command,
                operationID: request.operationID,
                token: request.token,
                lease: .seconds(1),
                hasWaited: request.hasWaited
            )
        )
    }
}

/// Takes a claim over as if the bank had executed what its holder has sent.
struct ProoflessStore: StoreMutant {
    let store: any ProcessPorts.Store

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        let outcome = try await store.claim(request)
        guard let held = outcome.heldKey, held.operation.state == .sent else { return outcome }
        return try await store.claim(
            ClaimRequest(
                command: request.command,
                operationID: request.operationID,
                token: request.token,
                lease: request.lease,
                hasWaited: request.hasWaited,
                executed: held.operation.fencingToken
            )
        )
    }
}

/// The first command of each key.
final class FirstCommands: Sendable {
    private let commands = Mutex<[String: Command]>([:])
    func first(like command: Command) -> Command {
        commands.withLock { commands in
            let key = "\(command.merchantID) \(command.idempotencyKey)"
            let first = commands[key] ?? command
            commands[key] = first
            return first
        }
    }
}

/// Takes every command for the first one of its key.
struct CredulousStore: StoreMutant {
    let store: any ProcessPorts.Store
    let commands: FirstCommands

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        let first = commands.first(like: request.command)
        // Another command is only taken for it, not done in its place.
        guard first.kind == request.command.kind || first.paymentID == request.command.paymentID else {
            return try await store.claim(request)
        }
        return try await store.claim(
            ClaimRequest(
                command: first,
                operationID: request.operationID,
                token: request.token,
                lease: request.lease,
                hasWaited: request.hasWaited
            )
        )
    }
}

/// Says that it has written before it has.
struct WriteBehindStore: StoreMutant {
    let store: any ProcessPorts.Store
    let time: any TimeSource
    let world: SimulationWorld

    func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        let (store, time) = (store, time)
        world.runBeside {
            try? await time.sleep(for: .milliseconds(50))
            _ = try? await store.complete(result)
        }
        return .completed
    }
}

/// Takes silence for consent.
struct GuessingStore: StoreMutant {
    let store: any ProcessPorts.Store

    func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        do throws(StoreError) {
            return try await store.complete(result)
        } catch {
            guard error.outcomeUnknown else { throw error }
            return .completed
        }
    }
}

/// Takes a stored outcome for one that somebody will tell.
struct HastyNotifier: StoreMutant {
    let store: any ProcessPorts.Store

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        let outcome = try await store.claim(request)
        if case .completed(let operation, isReplay: false) = outcome {
            try await store.recordNotified(operation, isUndeliverable: false)
        }
        return outcome
    }

    func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        let outcome = try await store.complete(result)
        if outcome == .completed { try await store.recordNotified(result.operation, isUndeliverable: false) }
        return outcome
    }
}

/// Gives an operation up that is not known after its second attempt.
struct ImpatientStore: StoreMutant {
    let store: any ProcessPorts.Store
    private let known = KnownClaims()

    init(store: any ProcessPorts.Store) {
        self.store = store
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        let outcome = try await store.claim(request)
        if case .claimed(let claim) = outcome { known.keep(claim) }
        return outcome
    }

    func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        let claim = known.claim(result.operation.id)
        guard let claim, result.operation.state == .unknown, claim.operation.attempts > 1 else {
            return try await store.complete(result)
        }
        return try await store.complete(
            .declined(
                claim,
                BankRefusal(code: "timed_out", message: "it took too long"),
                BankResponse(status: 0, body: .text(""))
            )
        )
    }
}
