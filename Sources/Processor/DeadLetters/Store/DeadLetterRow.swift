import Core
import Postgres

/// How a dead letter is written to its row and read from it.
enum DeadLetterRow {
    private static let written = """
        id, instance, code, message, source, dead_lettered_at, operation, payment_id, merchant_id, idempotency_key, \
        fingerprint, card, replayable, type, content_type, content_encoding, message_id, correlation_id, reply_to, headers, \
        body, correlation_bytes
        """

    /// In the order in which `deadLetter(from:)` reads them.
    static let columns = """
        \(written.replacing("headers", with: "headers::text")), replay_of, state, reopened_fencing_token, \
        replay_id, replay_fencing_token, replay_until, clock_timestamp(), sealed_card, \
        fingerprint_secret
        """

    /// Gives a row where there was none of this failure. A dead letter that it is said to be a replay of must be there:
    /// the header that says so came from outside.
    static let insert = """
        INSERT INTO dead_letters (\(written), replay_of, state, ingested_at, sealed_card, fingerprint_secret)
        VALUES (
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            (SELECT id FROM dead_letters WHERE id = $23), 'open', clock_timestamp(), $24, $25
        )
        ON CONFLICT (instance) DO NOTHING
        RETURNING id
        """

    static func parameters(of deadLetter: DeadLetter) -> [PostgresValue] {
        let (failure, command, message) = (deadLetter.failure, deadLetter.command, deadLetter.content.message)
        func text(_ text: String?) -> PostgresValue { .optional(text, PostgresValue.text) }
        return [
            .uuid(PostgresUUID(deadLetter.id.value)), .bytes(deadLetter.instance.bytes), .text(failure.code),
            .text(failure.message), .text(failure.source.rawValue), .timestamp(failure.at.microseconds),
            text(command.kind?.rawValue), deadLetter.paymentParameter, text(command.merchantID?.description),
            text(command.idempotencyKey?.description),
            .optional(command.fingerprint?.bytes, PostgresValue.bytes), text(deadLetter.content.card),
            .bool(deadLetter.content.isWhole), text(message.type), text(message.contentType),
            text(message.contentEncoding), text(message.messageID), text(message.correlationID?.textColumn),
            text(message.replyTo),
            .jsonb(String(decoding: message.headersJSON.encoded, as: UTF8.self)), .bytes(message.body),
            .optional(message.correlationID?.bytesColumn, PostgresValue.bytes),
            .optional(deadLetter.replayOf.map { PostgresUUID($0.value) }, PostgresValue.uuid),
            text(deadLetter.content.sealedCard),
            .optional(command.fingerprint?.secretID?.value, PostgresValue.int8),
        ]
    }

    /// As it is by the database's clock.
    static func deadLetter(from row: PostgresRow) throws(PostgresError) -> DeadLetter {
        try stored(from: row).seen(at: try clock(of: row))
    }

    /// When the row was read.
    static func clock(of row: PostgresRow) throws(PostgresError) -> Timestamp {
        Timestamp(microseconds: try row.timestamp(28))
    }

    /// As it is written: one that is being replayed may be claimed by nobody any more.
    static func stored(from row: PostgresRow) throws(PostgresError) -> DeadLetter {
        let state = try row.parsed(23, DeadLetterState.init)
        let secretID = try row.optionalInt64(30).map(FingerprintSecretID.init)
        return DeadLetter(
            id: DeadLetterID(UniqueID(try row.uuid(0))),
            instance: FailureInstance(bytes: try row.bytes(1)),
            failure: DeadLetterFailure(
                code: try row.text(2),
                message: try row.text(3),
                source: try row.parsed(4, DeadLetterFailure.Source.init),
                at: Timestamp(microseconds: try row.timestamp(5))
            ),
            command: DeadLetterCommand(
                kind: try row.isNull(6) ? nil : try row.parsed(6, OperationKind.init(rawValue:)),
                paymentID: try row.optionalUUID(7).map { PaymentID(UniqueID($0)) },
                merchantID: try row.optionalText(8).map(MerchantID.init(verified:)),
                idempotencyKey: try row.optionalText(9).map(IdempotencyKey.init(verified:)),
                fingerprint: try row.optionalBytes(10).map { Fingerprint(bytes: $0, secretID: secretID) }
            ),
            content: ReducedMessage(
                verified: Message(
                    type: try row.optionalText(13),
                    contentType: try row.optionalText(14),
                    contentEncoding: try row.optionalText(15),
                    messageID: try row.optionalText(16),
                    correlationID: try .from(row, text: 17, bytes: 21),
                    replyTo: try row.optionalText(18),
                    headers: try row.parsed(19, headers),
                    body: BodyReduction.reduced(try row.bytes(20))
                ),
                card: try row.optionalText(11),
                isWhole: try row.bool(12),
                sealedCard: try row.optionalText(29)
            ),
            replayOf: try row.optionalUUID(22).map { DeadLetterID(UniqueID($0)) },
            state: state,
            // Of a dead letter that was given back, an earlier version has left it.
            reopenedFencingToken: state == .replaying ? try row.optionalInt64(24) : nil,
            claim: try claim(from: row)
        )
    }

    private static func claim(from row: PostgresRow) throws(PostgresError) -> DeadLetterClaim? {
        guard let replay = try row.optionalUUID(25), let fencingToken = try row.optionalInt64(26),
            let until = try row.optionalTimestamp(27)
        else { return nil }
        return DeadLetterClaim(
            ReplayClaim(replay: ReplayID(UniqueID(replay)), fencingToken: fencingToken),
            until: Timestamp(microseconds: until)
        )
    }

    /// How far a replay has got with it.
    static let progress = """
        UPDATE dead_letters
        SET state = $2, closed_at = CASE WHEN $2 = 'replayed' THEN clock_timestamp() END, reopened_fencing_token = $3,
            replay_id = $4, replay_fencing_token = $5, replay_until = $6,
            sealed_card = CASE WHEN $2 <> 'replayed' THEN sealed_card END
        WHERE id = $1
        """

    static func progressParameters(of deadLetter: DeadLetter) -> [PostgresValue] {
        let claim = deadLetter.claim
        return [
            .uuid(PostgresUUID(deadLetter.id.value)), .text(deadLetter.state.rawValue),
            .optional(deadLetter.reopenedFencingToken, PostgresValue.int8),
            .optional(claim.map { PostgresUUID($0.claim.replay.value) }, PostgresValue.uuid),
            .optional(claim?.claim.fencingToken, PostgresValue.int8),
            .optional(claim?.until.microseconds, PostgresValue.timestamp),
        ]
    }

    private static func headers(_ text: String) -> [String: HeaderValue]? {
        (try? JSONParser.parse(Array(text.utf8)))?.headers
    }
}
