import ConnectionKeeper
import Glibc
import TestSupport
import Testing

/// A process that has a request in flight ends; what its server sees.
@Suite("A killed process", .timeLimit(.minutes(3)))
struct KilledProcessTests {
    /// Starts the probe and waits until its request has come in.
    private func start(
        _ mode: String,
        linger: Int = 600,
        at bank: BankSocket,
        file: String = ""
    ) async throws -> (Child, ProcessInspection) {
        let probe = try Child(TestPrograms.keeperProbe(), [mode, bank.url, "\(linger)", file])
        try await eventually("the request came", context: { probe.lastWords }) { bank.hasRequest() }
        guard mode != "call-unkept" else { return (probe, ProcessInspection(processID: 0)) }
        let keeper = try await eventually("the keeper's process id was printed") {
            pid_t(probe.standardOutput.dropLast())
        }
        return (probe, ProcessInspection(processID: keeper))
    }

    @Test("without a keeper the server sees a hang-up at once")
    func withoutKeeper() async throws {
        let bank = try BankSocket()
        let (probe, _) = try await start("call-unkept", at: bank)
        defer { probe.directory.remove() }
        #expect(!bank.isEnded())
        try await probe.crash()
        #expect(bank.isEnded())
    }

    @Test("with a keeper the server sees nothing until it has answered, and then the keeper ends")
    func untilAnswered() async throws {
        let bank = try BankSocket()
        let (probe, keeper) = try await start("call", at: bank)
        defer { probe.directory.remove() }
        try await probe.crash()
        #expect(!bank.isEnded())
        try await eventually("the keeper alone has the connection") { keeper.sockets == 2 }
        #expect(!bank.isEnded())
        bank.answer()
        try await eventually("the connection has ended") { bank.isEnded() }
        try await eventually("the keeper is gone") { !keeper.isRunning }
    }

    @Test("what the server answers after the death is passed on, with what the request was")
    func passedOn() async throws {
        let bank = try BankSocket()
        let directory = try ScratchDirectory()
        defer { directory.remove() }
        let file = "\(directory.path)/answer"
        let (probe, keeper) = try await start("call", at: bank, file: file)
        defer { probe.directory.remove() }
        try await probe.crash()
        bank.answer("500 Oh")
        try await eventually("the keeper is gone") { !keeper.isRunning }
        #expect(ScratchDirectory.read(file) == "0123456789012345678901234567890123456789 500 ok")
    }

    @Test("the keeper ends when the server has closed the connection by itself")
    func untilClosed() async throws {
        let bank = try BankSocket()
        let (probe, keeper) = try await start("call", at: bank)
        defer { probe.directory.remove() }
        try await probe.crash()
        #expect(!bank.isEnded())
        bank.close()
        try await eventually("the keeper is gone") { !keeper.isRunning }
    }

    @Test("it ends when the keeper has lingered long enough")
    func untilLingered() async throws {
        let bank = try BankSocket()
        let (probe, keeper) = try await start("call", linger: 1, at: bank)
        defer { probe.directory.remove() }
        try await probe.crash()
        try await eventually("the connection has ended") { bank.isEnded() }
        try await eventually("the keeper is gone") { !keeper.isRunning }
    }

    @Test("a process that abandons its client and exits leaves its request to the keeper too")
    func abandoned() async throws {
        let bank = try BankSocket()
        let (probe, keeper) = try await start("abandon", at: bank)
        defer { probe.directory.remove() }
        #expect(try await probe.end() == .status(0))
        #expect(!bank.isEnded())
        bank.answer()
        try await eventually("the connection has ended") { bank.isEnded() }
        try await eventually("the keeper is gone") { !keeper.isRunning }
    }

    @Test("the keeper's process is apart from its owner's: session, signals, descriptors, environment")
    func apart() async throws {
        let bank = try BankSocket()
        let (probe, keeper) = try await start("call", at: bank)
        defer { probe.directory.remove() }
        try await eventually("it has set itself up") { keeper.name == "payments-keeper" }
        try await eventually("it has received the connection") { keeper.sockets == 2 }
        #expect(keeper.session == keeper.processID)
        for signal in [SIGTERM, SIGINT, SIGHUP] { #expect(keeper.ignores(signal)) }
        let descriptors = keeper.descriptors
        #expect(descriptors.count == 5)
        for stream: Int32 in 0...2 { #expect(descriptors[stream] == "/dev/null") }
        // The probe has it.
        #expect(!keeper.environment.contains("HOME="))
        try await probe.crash()
        for signal in [SIGTERM, SIGINT, SIGHUP] { kill(keeper.processID, signal) }
        #expect(!bank.isEnded())
        bank.answer()
        try await eventually("the keeper is gone") { !keeper.isRunning }
    }
}
