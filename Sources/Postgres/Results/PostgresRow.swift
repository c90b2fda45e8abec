/// One row of a result.
///
/// Every accessor throws `decoding` when there is no such column, when the column is of another type, or when it is
/// null and the accessor is not the `optional…` one.
package struct PostgresRow: Sendable {
    let storage: PostgresResult.Storage
    let index: Int

    package func isNull(_ column: some PostgresColumnReference) throws(PostgresError) -> Bool {
        try cell(position(of: column)).length < 0
    }

    /// Apart from the reading, so that only this little is generic over the kind of reference, and the rest is
    /// specialized for each format: a batch reads thousands of cells.
    func position(of column: some PostgresColumnReference) throws(PostgresError) -> Int {
        guard let position = column.position(in: storage.shape.names) else {
            throw PostgresError(.decoding, reason: "no column \(column.label(in: storage.shape.names))")
        }
        return position
    }

    @inline(__always)
    func optional<Format: WireFormat>(
        _ position: Int,
        _ format: Format.Type
    ) throws(PostgresError) -> Format.Value? {
        let type = storage.shape.types[position]
        guard Format.reads(type: type) else { throw mismatch(position, expected: Format.name) }
        let cell = cell(position)
        guard cell.length >= 0 else { return nil }
        guard let value = read(cell, { Format.decode($0, type: type) }) else {
            throw malformed(position, expected: Format.name)
        }
        return value
    }

    @inline(__always)
    func required<Format: WireFormat>(
        _ position: Int,
        _ format: Format.Type
    ) throws(PostgresError) -> Format.Value {
        guard let value = try optional(position, format) else { throw null(position) }
        return value
    }

    @inline(__always)
    func optionalArray<Format: WireFormat>(
        _ position: Int,
        _ format: Format.Type
    ) throws(PostgresError) -> [Format.Value?]? {
        // The ids of the schema's own array types are not known here; the array itself names its element's type.
        let type = storage.shape.types[position]
        guard type == Format.arrayType || type >= 16384 else {
            throw mismatch(position, expected: "\(Format.name)[]")
        }
        let cell = cell(position)
        guard cell.length >= 0 else { return nil }
        guard let values = read(cell, ArrayFormat<Format>.decode) else {
            throw malformed(position, expected: "\(Format.name)[]")
        }
        return values
    }

    @inline(__always)
    func requiredArray<Format: WireFormat>(
        _ position: Int,
        _ format: Format.Type
    ) throws(PostgresError) -> [Format.Value?] {
        guard let values = try optionalArray(position, format) else { throw null(position) }
        return values
    }

    private func cell(_ position: Int) -> PostgresResult.Cell {
        storage.cells[index * storage.shape.names.count + position]
    }

    @inline(__always)
    private func read<Value>(_ cell: PostgresResult.Cell, _ body: (UnsafeRawBufferPointer) -> Value?) -> Value? {
        storage.bytes.withUnsafeBytes { bytes in
            body(UnsafeRawBufferPointer(rebasing: bytes[cell.offset..<(cell.offset + Int(cell.length))]))
        }
    }

    @inline(never)
    private func mismatch(_ position: Int, expected: String) -> PostgresError {
        let shape = storage.shape
        return PostgresError(
            .decoding,
            reason: "column \(shape.names[position]) is of type \(shape.types[position]), not \(expected)"
        )
    }

    @inline(never)
    private func malformed(_ position: Int, expected: String) -> PostgresError {
        PostgresError(
            .decoding,
            reason: "column \(storage.shape.names[position]) holds no \(expected) we can represent"
        )
    }

    @inline(never)
    private func null(_ position: Int) -> PostgresError {
        PostgresError(.decoding, reason: "column \(storage.shape.names[position]) is null")
    }
}

/// What names a column of a row: its position (from 0), or its name, which is looked for each time.
package protocol PostgresColumnReference: Sendable {
    func position(in names: [String]) -> Int?
    /// For error messages.
    func label(in names: [String]) -> String
}

extension Int: PostgresColumnReference {
    package func position(in names: [String]) -> Int? {
        names.indices.contains(self) ? self : nil
    }

    package func label(in names: [String]) -> String {
        names.indices.contains(self) ? names[self] : "\(self)"
    }
}

extension String: PostgresColumnReference {
    package func position(in names: [String]) -> Int? {
        names.firstIndex(of: self)
    }

    package func label(in names: [String]) -> String { self }
}
