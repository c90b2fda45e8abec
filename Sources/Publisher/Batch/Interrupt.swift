import Glibc
import Synchronization

/// Ctrl-C as something to ask about. The second one has its usual effect, for the impatient.
enum Interrupt {
    private static let isPending = Atomic<Bool>(false)

    static var hasCome: Bool { isPending.load(ordering: .relaxed) }

    static func watch() {
        // Made before the handler can run, which must not be the first to use it.
        isPending.store(false, ordering: .relaxed)
        signal(SIGINT) { _ in
            signal(SIGINT, SIG_DFL)
            Interrupt.isPending.store(true, ordering: .relaxed)
        }
    }
}
