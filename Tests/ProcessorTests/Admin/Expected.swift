/// What the admin API answers for `Samples`, spelt out.
enum Expected {
    static func payment(_ number: Int, withDetails: Bool = false) -> String {
        #"{"amount":5005,\#(withDetails ? #""attempts":[],"# : "")"authorized_at":"1970-01-01T00:00:01.500000Z","bank":{"authorization_id":"auth_1","#
            + #""capture_id":null,"refund_id":null,"void_id":null},"captured_at":null,"#
            + #""created_at":"1970-01-01T00:00:0\#(number).000000Z","currency":"USD","customer_id":"customer-1","#
            + #""expires_at":null,\#(withDetails ? "\(history)," : "")"#
            + #""id":"00000000-0000-0000-0000-00000000000\#(number)","#
            + #""merchant_id":"default",\#(withDetails ? "\(operations)," : "")"#
            + #""order_id":"order-1","refunded_at":null,\#(withDetails ? #""replays":[],"# : "")"#
            + #""status":"CAPTURING","voided_at":null}"#
    }

    static let view = payment(1, withDetails: true)

    private static let history =
        #""history":[{"at":"1970-01-01T00:00:01.000000Z","cause":"authorize claimed","from":null,"#
        + #""operation":"authorize","to":"PENDING"},{"at":"1970-01-01T00:00:01.500000Z","cause":"authorize succeeded","from":"PENDING","#
        + #""operation":"authorize","to":"AUTHORIZED"}]"#

    private static let operations =
        #""operations":[{"attempts":2,"idempotency_key":"key-1","kind":"capture","last_error":"bank_timeout","notified":null,"#
        + #""state":"UNKNOWN"}]"#
}
