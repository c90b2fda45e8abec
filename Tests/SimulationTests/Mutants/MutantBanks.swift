import Core
import Simulation

/// A bank that changes one call and passes on the others.
protocol BankMutant: Bank, BankQueries {
    var bank: any Bank & BankQueries { get }
}

extension BankMutant {
    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        await bank.send(request, late: late)
    }

    func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer { await bank.ask(query, timeout: timeout) }
}

/// Sends each request under a key of its own.
struct FreshKeyBank: BankMutant {
    let bank: any Bank & BankQueries
    let random: any RandomSource

    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        let key = String((request.idempotencyKey + "-\(random.next())").prefix(64))
        return await bank.send(
            BankRequest(
                action: request.action,
                idempotencyKey: key,
                traceparent: request.traceparent,
                timeout: request.timeout,
                limit: request.limit
            ),
            late: late
        )
    }
}

/// Hears a no where nothing was heard.
struct PessimisticBank: BankMutant {
    let bank: any Bank & BankQueries

    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        let answer = await bank.send(request, late: late)
        guard case .noAnswer = answer else { return answer }
        let code = request.action.kind == .authorize ? "card_expired" : "amount_mismatch"
        let body = JSONValue.object(["error": .string(code), "message": .string("made up")])
        return .response(BankResponse(status: 400, body: .json(body)))
    }
}

/// Takes every success for a replay.
struct UnsuspectingBank: BankMutant {
    let bank: any Bank & BankQueries

    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        let answer = await bank.send(request, late: late)
        guard case .response(let response) = answer, response.status == 200 else { return answer }
        return .response(BankResponse(status: response.status, body: response.body, isReplayed: true))
    }
}

/// Sends an authorize again at once when it cannot read the answer, and tells nobody.
struct EagerBank: BankMutant {
    let bank: any Bank & BankQueries

    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        let answer = await bank.send(request, late: late)
        guard case .response(let response) = answer, response.status == 200, case .text = response.body else {
            return answer
        }
        return await bank.send(request)
    }
}

/// Reads the bank's clock two weeks ahead.
struct FastClockBank: BankMutant {
    let bank: any Bank & BankQueries

    func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer {
        guard case .response(let response) = await bank.ask(query, timeout: timeout), let date = response.date else {
            return .noAnswer(reason: "connection_cut")
        }
        let ahead = date.advanced(by: .seconds(14 * 86_400))
        return .response(BankResponse(status: response.status, body: response.body, date: ahead))
    }
}

/// Hangs up when it has waited long enough.
struct CuttingBank: BankMutant {
    let bank: any Bank & BankQueries

    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        await bank.send(
            BankRequest(
                action: request.action,
                idempotencyKey: request.idempotencyKey,
                traceparent: request.traceparent,
                timeout: request.timeout
            ),
            late: late
        )
    }
}

/// Says that it is well, whatever happens to the commands.
struct HealthyBank: BankMutant {
    let bank: any Bank & BankQueries

    func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer {
        guard query == .health else { return await bank.ask(query, timeout: timeout) }
        return .response(BankResponse(status: 200, body: .json(.object(["status": .string("healthy")]))))
    }
}
