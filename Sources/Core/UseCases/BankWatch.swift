/// Shares what the circuit breaker knows with the other processors, and learns it from them at the start.
package struct BankWatch: Sendable {
    private let context: ProcessorContext
    private let bank: any BankQueries

    /// How often the state of a breaker is reported, whether it has changed or not.
    package static let period = Duration.seconds(10)
    /// What was reported longer ago is nobody's word any more: three periods.
    package static let memory = Duration.seconds(30)

    package init(_ context: ProcessorContext, bank: any BankQueries) {
        self.context = context
        self.bank = bank
    }

    /// Before the first command: that others have found it unavailable lately decides, else one question to the bank. A processor
    /// that began with everything it has would send all of it to a bank that is unavailable
    /// (docs/correctness.md#starting-in-an-outage).
    package func begin() async {
        if let status = try? await context.bankStatus.bankStatus(), status.isUnavailable, status.age < Self.memory {
            context.breaker.begin(isUnavailable: true, cause: status.cause)
            return
        }
        let answer = await bank.ask(.health, timeout: context.limits.bankTimeout)
        context.breaker.begin(isUnavailable: !answer.isSuccess, cause: answer.isSuccess ? nil : answer.cause)
    }

    /// Until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            let condition = context.breaker.condition
            try? await context.shareBankStatus()
            await change(from: condition)
        }
    }

    /// Returns when the breaker stands otherwise, or a period is over.
    private func change(from condition: BreakerCondition) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await context.breaker.untilNot(condition) }
            group.addTask { try? await context.time.sleep(for: Self.period) }
            await group.next()
            group.cancelAll()
        }
    }
}

extension BankAnswer {
    fileprivate var isSuccess: Bool {
        guard case .response(let response) = self else { return false }
        return (200..<300).contains(response.status)
    }
}
