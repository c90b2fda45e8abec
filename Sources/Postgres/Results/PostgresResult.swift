/// The answer to one statement, copied out of libpq: plain memory that may go anywhere.
package struct PostgresResult: Sendable {
    /// Where a cell lies in `bytes`; a length of -1 is null.
    struct Cell: Sendable {
        let offset: Int
        let length: Int32
    }

    /// All rows in one piece, so that a row is a reference and a number.
    final class Storage: Sendable {
        let shape: ResultShape
        let cells: [Cell]
        let bytes: [UInt8]

        init(shape: ResultShape, cells: [Cell], bytes: [UInt8]) {
            self.shape = shape
            self.cells = cells
            self.bytes = bytes
        }
    }

    let storage: Storage
    /// The number of rows.
    package let count: Int
    /// How many rows an INSERT, UPDATE, DELETE or MERGE touched, or a SELECT returned; 0 for other commands.
    package let affectedRows: Int

    init(storage: Storage, count: Int, affectedRows: Int) {
        self.storage = storage
        self.count = count
        self.affectedRows = affectedRows
    }

    package var columnNames: [String] { storage.shape.names }

    /// The position of a column, to be found once and used for every row.
    ///
    /// - Throws: `decoding` when there is no such column.
    package func column(_ name: String) throws(PostgresError) -> Int {
        guard let index = storage.shape.names.firstIndex(of: name) else {
            throw PostgresError(.decoding, reason: "no column \(name)")
        }
        return index
    }

    /// The only row.
    ///
    /// - Throws: `decoding` unless there is exactly one.
    package func single() throws(PostgresError) -> PostgresRow {
        guard count == 1 else {
            throw PostgresError(.decoding, reason: "expected one row, got \(count)")
        }
        return PostgresRow(storage: storage, index: 0)
    }
}

extension PostgresResult: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    /// The row at a position, which must be one of `indices`.
    package subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < count, "no such row")
        return PostgresRow(storage: storage, index: position)
    }
}

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
