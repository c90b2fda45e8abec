/// A hold on an account, forever in the bank's books.
struct AuthorizationRecord: Equatable, Sendable {
    let id: EffectID
    /// Index of the account in the bank's list.
    let account: Int
    /// Cents.
    let amount: Int64
    let createdAt: Timestamp
    let expiresAt: Timestamp
    /// It was captured or voided; the bank tells the two apart no further.
    var isUsed = false
}

/// The money of one authorization, taken.
struct CaptureRecord: Equatable, Sendable {
    let id: EffectID
    let authorizationID: EffectID
    /// Index of the account in the bank's list.
    let account: Int
    /// Cents.
    let amount: Int64
    let capturedAt: Timestamp
    var isRefunded = false
}

/// The end of one authorization that was not captured.
struct VoidRecord: Equatable, Sendable {
    let id: EffectID
    let authorizationID: EffectID
    let voidedAt: Timestamp
}

/// The money of one capture, given back.
struct RefundRecord: Equatable, Sendable {
    let id: EffectID
    let captureID: EffectID
    /// Cents.
    let amount: Int64
    let refundedAt: Timestamp
}

/// One effect, as `GET /ledger` reports it: what the bank really did, whatever it answered.
struct LedgerEntry: Equatable, Sendable {
    let operation: BankOperation
    let id: EffectID
    let authorizationID: EffectID
    /// The capture itself, or the one a refund refers to.
    let captureID: EffectID?
    /// Cents; of a void, the hold it gave back.
    let amount: Int64
    /// Index of the account in the bank's list.
    let account: Int
    let idempotencyKey: String
    let executedAt: Timestamp
}

/// The number of an authorization, capture, void or refund: a random UUID (version 4), shown in lower case.
struct EffectID: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// What kind of effect an identifier names; its text starts with it.
    enum Kind: String, Sendable {
        case authorization = "auth_"
        case capture = "cap_"
        case refund = "ref_"
        case void = "void_"
    }

    /// - Parameter generator: gives 122 of its 128 bits.
    init(using generator: inout some RandomNumberGenerator) {
        high = generator.next() & ~0xF000 | 0x4000
        low = generator.next() & ~(0b11 << 62) | 0b10 << 62
    }

    /// Reads what ``text(_:)`` wrote; nil for anything else, upper case included.
    init?(_ text: String, _ kind: Kind) {
        guard text.hasPrefix(kind.rawValue) else { return nil }
        let digits = text.utf8.dropFirst(kind.rawValue.utf8.count)
        guard digits.count == 36 else { return nil }
        var halves: (high: UInt64, low: UInt64) = (0, 0)
        for (index, byte) in digits.enumerated() {
            let digit: UInt8
            switch (index, byte) {
            case (8, UInt8(ascii: "-")), (13, UInt8(ascii: "-")), (18, UInt8(ascii: "-")), (23, UInt8(ascii: "-")):
                continue
            case (8, _), (13, _), (18, _), (23, _): return nil
            case (_, UInt8(ascii: "0")...UInt8(ascii: "9")): digit = byte - UInt8(ascii: "0")
            case (_, UInt8(ascii: "a")...UInt8(ascii: "f")): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            halves.high = halves.high << 4 | halves.low >> 60
            halves.low = halves.low << 4 | UInt64(digit)
        }
        high = halves.high
        low = halves.low
    }

    /// For example `auth_6f9619ff-8b86-4d01-b42d-00cf4fc964ff`.
    func text(_ kind: Kind) -> String {
        var bytes = Array(kind.rawValue.utf8)
        bytes.reserveCapacity(bytes.count + 36)
        for nibble in 0..<32 {
            switch nibble {
            case 8, 12, 16, 20: bytes.append(UInt8(ascii: "-"))
            default: break
            }
            let half = nibble < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: half >> UInt64(60 - nibble % 16 * 4) & 0xF)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A small random generator (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
///
/// The system's own would cost a system call for each number, and a request draws several.
struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// A generator that starts somewhere else every time.
    static func randomlySeeded() -> SplitMix64 {
        SplitMix64(seed: .random(in: .min ... .max))
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
