/// The columns of a result. A prepared statement has the same ones each time, so they are made once.
final class ResultShape: Sendable {
    let names: [String]
    let types: [UInt32]

    init(names: [String], types: [UInt32]) {
        self.names = names
        self.types = types
    }

    static let empty = ResultShape(names: [], types: [])
}
