@testable import BankSimulator

/// Records to decide about.
enum Sample {
    static let now = ManualClock.start

    static func account(available: Int64 = 10_000, expiresIn seconds: Int64 = 1) -> CardAccount {
        CardAccount(
            cardNumber: "4111111111111111",
            cvv: "123",
            expiresAt: now.adding(seconds: seconds),
            balance: available
        )
    }

    static func authorization(isUsed: Bool = false, expiresIn seconds: Int64 = 1) -> AuthorizationRecord {
        var generator = SplitMix64(seed: 1)
        return AuthorizationRecord(
            id: EffectID(using: &generator),
            account: 0,
            amount: 5_000,
            createdAt: now,
            expiresAt: now.adding(seconds: seconds),
            isUsed: isUsed
        )
    }

    static func capture(isRefunded: Bool = false) -> CaptureRecord {
        var generator = SplitMix64(seed: 2)
        return CaptureRecord(
            id: EffectID(using: &generator),
            authorizationID: authorization().id,
            account: 0,
            amount: 5_000,
            capturedAt: now,
            isRefunded: isRefunded
        )
    }
}
