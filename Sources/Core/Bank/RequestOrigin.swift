/// Which attempt a request to the bank belongs to: enough to find it in the store when the process that sent it is gone.
package struct RequestOrigin: Hashable, Sendable {
    package let paymentID: PaymentID
    package let operationID: OperationID
    package let fencingToken: Int64

    package init(_ operation: Operation) {
        paymentID = operation.paymentID
        operationID = operation.id
        fencingToken = operation.fencingToken
    }

    package static let byteCount = 40

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for word in [
            paymentID.value.high, paymentID.value.low, operationID.value.high, operationID.value.low,
            UInt64(bitPattern: fencingToken),
        ] {
            withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        let words = stride(from: 0, to: Self.byteCount, by: 8).map { start in
            bytes[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        paymentID = PaymentID(UniqueID(high: words[0], low: words[1]))
        operationID = OperationID(UniqueID(high: words[2], low: words[3]))
        fencingToken = Int64(bitPattern: words[4])
    }
}
