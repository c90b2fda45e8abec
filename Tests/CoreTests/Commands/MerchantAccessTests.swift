import Testing

@testable import Core

/// docs/contract.md#merchants
@Suite("Who may act for whom", .timeLimit(.minutes(1)))
struct MerchantAccessTests {
    private let decoder: CommandDecoder
    private let marks = CopyMarks(Fingerprinter(secret: Array("secret".utf8)))

    init() throws {
        let shop = try #require(MerchantID("shop"))
        decoder = CommandDecoder(CardIntake(), MerchantAccess(["ada": [shop, .default], "bob": [shop]]))
    }

    private func problem(_ change: (inout Message) -> Void) -> (field: String?, replyTo: String?) {
        var message = CommandMessage.valid(.authorize, change)
        message = marks.trusted(message)
        switch decoder.decode(message) {
        case .command(let command): return (nil, command.route.replyTo)
        case .answerable(let invalid): return (invalid.problem.field, invalid.route.replyTo)
        case .unanswerable(let problem): return (problem.field, "unanswerable")
        }
    }

    @Test("a command needs a user whom the broker vouches for, who may act for its merchant, into a queue of theirs")
    func rules() {
        #expect(problem { $0.publisher = "ada" }.field == nil)
        #expect(
            problem {
                $0.headers["merchant-id"] = .string("shop"); $0.publisher = "bob"
            }.field == nil
        )
        #expect(problem { $0.publisher = "bob" }.field == "merchant-id")
        #expect(problem { $0.publisher = "eve" }.field == "merchant-id")
        #expect(problem { _ in }.field == "user_id")
        let own = problem {
            $0.publisher = "ada"; $0.replyTo = "replies.ada.1"
        }
        #expect(own.field == nil && own.replyTo == "replies.ada.1")
        for queue in ["replies.bob.1", "replies.ada", "replies.adam.1", "amq.gen-0123456789012345678901"] {
            let foreign = problem {
                $0.publisher = "ada"; $0.replyTo = queue
            }
            #expect(foreign.field == "reply_to" && foreign.replyTo == nil, "\(queue)")
        }
        // Nor does the rejection of something else go into somebody else's queue.
        let other = problem {
            $0.publisher = "bob"; $0.replyTo = "replies.ada.1"
        }
        #expect(other.field == "merchant-id" && other.replyTo == nil)
    }

    @Test("copies of ours say who has published them; from a client that header says nothing")
    func copies() throws {
        let message = CommandMessage.valid {
            $0.publisher = "ada"
            $0.replyTo = "replies.ada.1"
        }
        let copy = marks.marked(message.cleanCopy())
        #expect(copy.publisher == nil && copy.headers["published-by"] == .string("ada"))
        #expect(problem { $0 = copy }.field == nil)
        #expect(problem { $0.headers["published-by"] = .string("ada") }.field == "user_id")
        let reduced = ReducedMessage(copy, kind: .authorize)
        #expect(reduced.message.headers["published-by"] == .string("ada"))
    }
}
