import Core
import Testing

/// docs/correctness.md#states
@Suite("State machine", .timeLimit(.minutes(1)))
struct StateMachineTests {
    private static let paths: Set<[PaymentStatus]> = [
        [.pending, .authorized], [.pending, .failed],
        [.authorized, .capturing], [.authorized, .voiding], [.authorized, .expired],
        [.capturing, .captured], [.capturing, .authorized], [.capturing, .expired],
        [.voiding, .voided], [.voiding, .authorized], [.voiding, .expired],
        [.captured, .refunding], [.refunding, .refunded], [.refunding, .captured],
        [.expired, .voiding],
    ]

    @Test("there are these paths and no others")
    func paths() {
        for from in PaymentStatus.allCases {
            for to in PaymentStatus.allCases {
                #expect(from.mayBecome(to) == Self.paths.contains([from, to]), "\(from) to \(to)")
            }
        }
    }

    @Test(
        "an operation starts from its origins, passes its own state and ends in its success",
        arguments: OperationKind.allCases
    )
    func operations(kind: OperationKind) {
        #expect(kind.inProgress.isInProgress)
        #expect(!kind.succeeded.isInProgress)
        #expect(kind.inProgress.mayBecome(kind.succeeded))
        for origin in kind.origins {
            #expect(origin.mayBecome(kind.inProgress))
            #expect(kind.inProgress.mayBecome(origin), "a decline gives back \(origin)")
        }
        #expect(OperationKind(commandType: kind.commandType) == kind)
        #expect(kind.resultType == "payment.\(kind.rawValue).result.v1")
    }

    @Test("what is final has no way out")
    func final() {
        for status in [PaymentStatus.voided, .refunded, .failed] {
            #expect(!PaymentStatus.allCases.contains { status.mayBecome($0) })
        }
    }
}
