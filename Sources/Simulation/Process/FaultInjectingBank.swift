import Core

/// The bank, asked by a process that may die before it hears the answer.
struct FaultInjectingBank: Bank, BankQueries {
    let injector: FaultInjector
    let bank: InMemoryBank
    let random: SeededRandom
    let trace: Trace
    let process: Int
    let newcomers: NewcomerWitness
    let onLate: @Sendable () -> Void

    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        await injector.pass()
        guard !injector.life.isOver else { return .notSent(reason: "over") }
        newcomers.noteSend(by: process)
        trace.note(
            .bankAsked,
            UInt64(process),
            "process \(process) asks the bank: \(request.action.isInquiry ? "inquiry about " : "")\(request.action.kind) "
                + "\(request.idempotencyKey)"
        )
        let answer = await bank.send(request, from: process) { [injector, trace, process, bank] answer in
            guard injector.life.isListening else { return bank.noteUnheard(request.idempotencyKey) }
            trace.note(
                .bankAnswered,
                UInt64(200 + process),
                "process \(process) hears late of \(request.idempotencyKey): \(answer.summary)"
            )
            onLate()
            late(answer)
        }
        await injector.passFromBank()
        guard !injector.life.isOver else { return .noAnswer(reason: "over") }
        trace.note(
            .bankAnswered,
            UInt64(process),
            "process \(process) hears of \(request.idempotencyKey): \(answer.summary)"
        )
        return answer
    }

    func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer {
        await injector.pass()
        guard !injector.life.isOver else { return .notSent(reason: "over") }
        let lie = injector.schedule.lie(random)
        let truth = await bank.ask(query, timeout: timeout)
        await injector.passFromBank()
        guard !injector.life.isOver else { return .noAnswer(reason: "over") }
        let answer = lie ?? truth
        trace.note(.bankAnswered, UInt64(100 + process), "process \(process) asks for \(query): \(answer.summary)")
        return answer
    }
}

extension BankAnswer {
    /// The answer in a few words.
    var summary: String {
        switch self {
        case .notSent(let reason): "not sent, \(reason)"
        case .noAnswer(let reason): "no answer, \(reason)"
        case .response(let response):
            switch response.body {
            case .json(let body):
                "\(response.status) \(body["error"]?.string ?? body["status"]?.string ?? "?")"
                    + (response.isReplayed ? " replayed" : "")
            case .text: "\(response.status) not JSON"
            }
        }
    }
}
