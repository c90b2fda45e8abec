import Core
import Synchronization

/// Sends each request under a key of its own.
struct FreshKeyBank: Bank {
    let bank: any Bank
    let random: any RandomSource

    func send(_ request: BankRequest) async -> BankAnswer {
        let key = String((request.idempotencyKey + "-\(random.next())").prefix(64))
        return await bank.send(
            BankRequest(
                action: request.action,
                idempotencyKey: key,
                traceparent: request.traceparent,
                timeout: request.timeout
            )
        )
    }
}

/// Hears a no where nothing was heard.
struct PessimisticBank: Bank {
    let bank: any Bank

    func send(_ request: BankRequest) async -> BankAnswer {
        let answer = await bank.send(request)
        guard case .noAnswer = answer else { return answer }
        let code = request.action.kind == .authorize ? "card_expired" : "amount_mismatch"
        let body = JSONValue.object(["error": .string(code), "message": .string("made up")])
        return .response(BankResponse(status: 400, body: .json(body)))
    }
}

/// Takes every success for a replay.
struct UnsuspectingBank: Bank {
    let bank: any Bank

    func send(_ request: BankRequest) async -> BankAnswer {
        let answer = await bank.send(request)
        guard case .response(let response) = answer, response.status == 200 else { return answer }
        return .response(BankResponse(status: response.status, body: response.body, isReplayed: true))
    }
}
