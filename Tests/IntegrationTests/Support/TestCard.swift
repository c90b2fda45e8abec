/// The cards of the mock bank.
struct TestCard: Sendable {
    let number: String
    let cvv: String
    let expiryMonth: Int
    let expiryYear: Int

    static let ample = TestCard(number: "4111111111111111", cvv: "123", expiryMonth: 12, expiryYear: 2030)
    static let limited = TestCard(number: "4242424242424242", cvv: "456", expiryMonth: 6, expiryYear: 2030)
    static let empty = TestCard(number: "5555555555554444", cvv: "789", expiryMonth: 9, expiryYear: 2030)
    static let expired = TestCard(number: "5105105105105100", cvv: "321", expiryMonth: 3, expiryYear: 2020)
    static let unknown = TestCard(number: "4000056655665556", cvv: "987", expiryMonth: 1, expiryYear: 2031)
    static let wrongCVV = TestCard(number: "4111111111111111", cvv: "654", expiryMonth: 12, expiryYear: 2030)

    static let all = [ample, limited, empty, expired, unknown, wrongCVV]

    var json: String {
        #"{"number":"\#(number)","cvv":"\#(cvv)","expiry_month":\#(expiryMonth),"expiry_year":\#(expiryYear)}"#
    }
}
