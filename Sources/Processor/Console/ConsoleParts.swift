import Core

/// What the console shows and acts by: the same use cases as the admin API and the command line have.
struct ConsoleParts: Sendable {
    let queries: any PaymentQueries
    let deadLetters: DeadLetterService
    let resolver: OperationResolver
    let reading: any ConsoleQueries
    let members: any MemberStore
    let minutes: any CommandMinutes
    let bank: any BankQueries
    let bankStatus: any BankStatusStore
    let sweeps: SweepControl
    let readiness: Readiness
    let metrics: ProcessorMetrics
    let names: BrokerNames
    let partitions: Int
    /// Of this processor among the members.
    let identity: String
    let bankTimeout: Duration
    var time: any TimeSource = SystemTime()
    /// Since when what is wrong has been so.
    let alarms = AlarmMemory()
}
