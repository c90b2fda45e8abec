import Core
import Simulation
import Testing

/// A processor that breaks one rule of the house, by what is put before its ports.
struct Mutant: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let options: SimulationOptions

    static let all: [Mutant] = messaging + banking + storing + sweeping

    private static let messaging: [Mutant] = [
        .ports("acknowledges before the completion") { ports in
            let receive = ports.receive
            ports.receive = { delivery in
                let delivery = await receive(delivery)
                await delivery.acknowledge()
                return AcknowledgedDelivery(message: delivery.message)
            }
        },
        .ports("takes every publish for confirmed") { $0.sink = HopefulSink(sink: $0.sink) },
        .ports("takes a silent queue for one that is gone") { $0.sink = HastySink(sink: $0.sink) },
        .ports("copies x-death") { ports in
            let (deaths, receive) = (CopiedHeaders(), ports.receive)
            ports.receive = { delivery in
                deaths.keep(delivery.message)
                return await receive(delivery)
            }
            ports.sink = CopyingSink(sink: ports.sink, deaths: deaths)
        },
    ]

    private static let banking: [Mutant] = [
        .ports("takes a new bank key for each send") { $0.bank = FreshKeyBank(bank: $0.bank, random: $0.random) },
        .ports("takes no answer for a no") { $0.bank = PessimisticBank(bank: $0.bank) },
        .ports("suspects no orphan") { $0.bank = UnsuspectingBank(bank: $0.bank) },
        .ports("sends an authorize again in silence", amid: [.bankFault, .keyLoss]) {
            $0.bank = EagerBank(bank: $0.bank)
        },
        .ports("cuts a call at its timeout") { $0.bank = CuttingBank(bank: $0.bank) },
        .ports("starts with a closed breaker, whatever the others have seen") { ports in
            ports.bank = HealthyBank(bank: ports.bank)
            ports.store = SilentStore(store: ports.store)
        },
        .ports("lets no key rest after a timeout") { ports in
            ports.limits = HandlerLimits(
                bankTimeout: ports.limits.bankTimeout,
                bankWorstCase: .zero,
                lease: ports.limits.lease,
                busyAfter: ports.limits.busyAfter
            )
        },
    ]

    private static let storing: [Mutant] = [
        .world("looks at no fingerprint") { _ in
            let commands = FirstCommands()
            return { $0.store = CredulousStore(store: $0.store, commands: commands) }
        },
        .world("answers before the commit") { world in
            { $0.store = WriteBehindStore(store: $0.store, time: $0.time, world: world) }
        },
        .ports("claims for a second only") { $0.store = HastyStore(store: $0.store) },
        .ports("takes a claim over without a proof", amid: [.crash, .keyLoss]) {
            $0.store = ProoflessStore(store: $0.store)
        },
        .ports("takes a lost answer of the completion for a commit") { $0.store = GuessingStore(store: $0.store) },
        .ports("fails what has been unknown for long") { $0.store = ImpatientStore(store: $0.store) },
        .ports("makes up the bank key of each operation") { $0.store = RandomKeyStore(store: $0.store) },
        .ports("takes a younger waiting command first") { $0.store = OvertakingStore(store: $0.store) },
        .ports("defers what the store gives no place", amid: [.databaseOutage, .connectionLoss, .deploy]) {
            $0.store = PlacelessStore(store: $0.store)
        },
        .ports("cancels the consumer of a queue that it leaves to others", amid: [.badMoment, .slowBank, .deploy]) {
            $0.cancelsConsumers = true
        },
        .ports("subscribes with less room than the one before", amid: [.badMoment, .connectionLoss]) { ports in
            let random = ports.random
            ports.room = { random.next().isMultiple(of: 2) ? $0 : 1 }
        },
        .ports("never lets go of a partition") { $0.store = LonelyStore(store: $0.store) },
        .ports("judges by its own clock who is there") { $0.store = OwnClockStore(store: $0.store, time: $0.time) },
        .options("checks no fencing token") { $0.storeChecksFencingToken = false },
    ]

    private static let sweeping: [Mutant] = [
        .ports("lets everybody run a slot") { $0.store = GenerousStore(store: $0.store) },
        .ports("notes a message of the outbox before it is published") { $0.store = ForgetfulOutbox(store: $0.store) },
        .ports("notes what it has to report before it is reported") { $0.store = HastyNotifier(store: $0.store) },
        .ports("fails a pending authorize by its age") { $0.store = HastySweepStore(store: $0.store) },
        .ports("expires without proof") { $0.bank = FastClockBank(bank: $0.bank) },
        .ports("tells no events") { $0.sink = DiscreetSink(sink: $0.sink) },
        .ports("answers to one queue") { $0.sink = OneQueueSink(sink: $0.sink) },
    ]

    // MARK: How they are made

    private static func options(_ name: String, _ change: (inout SimulationOptions) -> Void) -> Mutant {
        var options = SimulationOptions()
        change(&options)
        return Mutant(testDescription: name, options: options)
    }

    private typealias PortChange = @Sendable (inout ProcessPorts) -> Void

    /// - Parameter faults: without which it can do no harm.
    private static func ports(
        _ name: String,
        amid faults: [FaultPlan.Kind] = [],
        _ change: @escaping PortChange
    ) -> Mutant {
        world(name, amid: faults) { _ in change }
    }

    /// With something that all processes of a world share.
    private static func world(
        _ name: String,
        amid faults: [FaultPlan.Kind] = [],
        _ make: @escaping @Sendable (SimulationWorld) -> PortChange
    ) -> Mutant {
        options(name) { options in
            options.faults = faults
            options.wrap = { world in
                let change = make(world)
                return { unchanged in
                    var changed = unchanged
                    change(&changed)
                    return changed
                }
            }
        }
    }
}

/// Who judges the worlds is judged here: a processor that breaks a rule must be caught.
@Suite("Every wrong processor is caught", .timeLimit(.minutes(40)))
struct MutantTests {
    @Test("within a thousand seeds", arguments: Mutant.all)
    func caught(mutant: Mutant) {
        // Those from 1 on are what `make simulate` runs first.
        let first = (401...1_400).first { seed in
            !SimulationWorld.run(seed: UInt64(seed), options: mutant.options).violations.isEmpty
        }
        #expect(first != nil, "no seed shows it")
    }
}
