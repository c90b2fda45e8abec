import Glibc

/// What `make torture` asks for.
struct TortureSettings: Sendable {
    let seed: UInt64
    /// How long there is trouble.
    let duration: Duration
    /// How long everything may take to be answered once the trouble is over.
    let drain: Duration
    /// Objects at the broker are deleted too.
    let hasDrift: Bool
    /// Three brokers, three processors, and a standby of the database that commits wait for.
    let isCluster: Bool
    /// The one kind of trouble that there is; `nil` for all.
    let only: String?
    /// Customers that pay at the same time.
    let customers: Int

    /// Nil where nobody has asked for it.
    static let asked: TortureSettings? = {
        guard let seconds = number("TORTURE_SECONDS") else { return nil }
        return TortureSettings(
            seed: number("TORTURE_SEED") ?? .random(in: 1...999_999),
            duration: .seconds(Int64(seconds)),
            drain: .seconds(Int64(number("TORTURE_DRAIN_SECONDS") ?? 1_200)),
            hasDrift: number("TORTURE_DRIFT") == 1,
            isCluster: number("TORTURE_CLUSTER") == 1,
            only: getenv("TORTURE_ONLY").map { String(cString: $0) },
            customers: Int(number("TORTURE_CUSTOMERS") ?? 12)
        )
    }()

    private static func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }
}

/// Random words that the seed decides. Each customer and each kind of trouble has a generator of its own, so that what
/// one draws does not depend on how fast another is.
struct TortureRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64, stream: UInt64) {
        state = seed &* 0x9e37_79b9_7f4a_7c15 ^ stream &* 0xd134_2543_de82_ef95
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// An identifier that the seed decides.
    mutating func id() -> String {
        let words = (next(), next())
        let digits = [words.0, words.1].map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
        let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)].map { range in
            digits.dropFirst(range.0).prefix(range.1 - range.0)
        }
        return parts.joined(separator: "-")
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}
