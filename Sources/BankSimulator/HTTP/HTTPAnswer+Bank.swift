extension HTTPAnswer {
    /// The bank's answer in its own words: with nanoseconds in answers to a POST, microseconds in those to a GET.
    init(
        _ answer: BankAnswer,
        precision: Timestamp.Precision,
        isReplay: Bool = false,
        style: AnswerStyle? = nil
    ) {
        if case .refused(let code) = answer {
            self = .error(code.status, code.rawValue, code.message)
            return
        }
        let wording = Wording(precision: precision, style: style)
        let body = JSONWriter.object { writer in
            switch answer {
            case .authorized(let record): writer.members(of: record, wording)
            case .captured(let record): writer.members(of: record, wording)
            case .voided(let record): writer.members(of: record, wording)
            case .refunded(let record): writer.members(of: record, wording)
            case .refused: break
            }
        }
        self.init(status: 200, body: body, isReplay: isReplay)
    }
}

/// How the fields of an answer are written.
private struct Wording {
    let precision: Timestamp.Precision
    let style: AnswerStyle?
}

extension JSONWriter {
    /// Every authorization is `approved`, whatever became of it.
    fileprivate mutating func members(of record: AuthorizationRecord, _ wording: Wording) {
        member("authorization_id", record.id.text(.authorization))
        status("approved", wording)
        money(record.amount, wording)
        time("expires_at", record.expiresAt, wording)
        time("created_at", record.createdAt, wording)
    }

    fileprivate mutating func members(of record: CaptureRecord, _ wording: Wording) {
        member("capture_id", record.id.text(.capture))
        member("authorization_id", record.authorizationID.text(.authorization))
        status("captured", wording)
        money(record.amount, wording)
        time("captured_at", record.capturedAt, wording)
    }

    fileprivate mutating func members(of record: VoidRecord, _ wording: Wording) {
        member("void_id", record.id.text(.void))
        member("authorization_id", record.authorizationID.text(.authorization))
        status("voided", wording)
        time("voided_at", record.voidedAt, wording)
    }

    fileprivate mutating func members(of record: RefundRecord, _ wording: Wording) {
        member("refund_id", record.id.text(.refund))
        member("capture_id", record.captureID.text(.capture))
        status("refunded", wording)
        money(record.amount, wording)
        time("refunded_at", record.refundedAt, wording)
    }

    private mutating func status(_ word: String, _ wording: Wording) {
        switch wording.style {
        case .pending: member("status", "pending")
        case .upperStatus: member("status", word.uppercased())
        default: member("status", word)
        }
    }

    private mutating func money(_ amount: Int64, _ wording: Wording) {
        if wording.style == .decimalAmount {
            member("amount", token: "\(amount).0")
        } else {
            member("amount", amount)
        }
        switch wording.style {
        case .lowerCurrency: member("currency", "usd")
        case .nullFields: member("currency", nil as String?)
        default: member("currency", "USD")
        }
    }

    private mutating func time(_ name: String, _ time: Timestamp, _ wording: Wording) {
        member(name, wording.style == .nullFields ? nil : time.rfc3339(wording.precision))
    }
}
