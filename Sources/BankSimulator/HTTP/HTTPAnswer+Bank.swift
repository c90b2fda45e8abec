extension HTTPAnswer {
    /// The bank's answer in its own words: with nanoseconds in answers to a POST, microseconds in those to a GET.
    init(_ answer: BankAnswer, precision: Timestamp.Precision, isReplay: Bool = false) {
        if case .refused(let code) = answer {
            self = .error(code.status, code.rawValue, code.message)
            return
        }
        let body = JSONWriter.object { writer in
            switch answer {
            case .authorized(let record): writer.members(of: record, precision)
            case .captured(let record): writer.members(of: record, precision)
            case .voided(let record): writer.members(of: record, precision)
            case .refunded(let record): writer.members(of: record, precision)
            case .refused: break
            }
        }
        self.init(status: 200, body: body, isReplay: isReplay)
    }
}

extension JSONWriter {
    /// Every authorization is `approved`, whatever became of it.
    fileprivate mutating func members(of record: AuthorizationRecord, _ precision: Timestamp.Precision) {
        member("authorization_id", record.id.text(.authorization))
        member("status", "approved")
        member("amount", record.amount)
        member("currency", "USD")
        member("expires_at", record.expiresAt.rfc3339(precision))
        member("created_at", record.createdAt.rfc3339(precision))
    }

    fileprivate mutating func members(of record: CaptureRecord, _ precision: Timestamp.Precision) {
        member("capture_id", record.id.text(.capture))
        member("authorization_id", record.authorizationID.text(.authorization))
        member("status", "captured")
        member("amount", record.amount)
        member("currency", "USD")
        member("captured_at", record.capturedAt.rfc3339(precision))
    }

    fileprivate mutating func members(of record: VoidRecord, _ precision: Timestamp.Precision) {
        member("void_id", record.id.text(.void))
        member("authorization_id", record.authorizationID.text(.authorization))
        member("status", "voided")
        member("voided_at", record.voidedAt.rfc3339(precision))
    }

    fileprivate mutating func members(of record: RefundRecord, _ precision: Timestamp.Precision) {
        member("refund_id", record.id.text(.refund))
        member("capture_id", record.captureID.text(.capture))
        member("status", "refunded")
        member("amount", record.amount)
        member("currency", "USD")
        member("refunded_at", record.refundedAt.rfc3339(precision))
    }
}
