import Testing

@testable import BankSimulator

@Suite("gzip", .timeLimit(.minutes(1)))
struct GzipTests {
    @Test("the checksum is that of gzip")
    func checksum() {
        #expect(Gzip.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(Gzip.checksum([]) == 0)
    }

    @Test("a short text is one stored block")
    func short() {
        // What `printf 'a' | gzip -d` takes: header, block, CRC-32 of "a" (0xE8B7BE43), length.
        let expected: [UInt8] = [
            0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1, 1, 0, 0xFE, 0xFF, 0x61, 0x43, 0xBE, 0xB7, 0xE8, 1, 0, 0, 0,
        ]
        #expect(Gzip.stored([0x61]) == expected)
    }

    @Test("no byte and many bytes are blocks of at most 65,535", arguments: [0, 1, 65_535, 65_536, 200_000])
    func blocks(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let stream = Gzip.stored(bytes)
        var rest = stream.dropFirst(10)
        var content: [UInt8] = []
        var isLast = false
        while !isLast {
            isLast = try number(&rest, 1) == 1
            let length = try number(&rest, 2)
            #expect(try number(&rest, 2) == 65_535 - length)
            content += rest.prefix(length)
            rest = rest.dropFirst(length)
        }
        #expect(content == bytes)
        #expect(try number(&rest, 4) == Int(Gzip.checksum(bytes)))
        #expect(try number(&rest, 4) == count)
        #expect(rest.isEmpty)
    }

    private func number(_ bytes: inout ArraySlice<UInt8>, _ count: Int) throws -> Int {
        let digits = bytes.prefix(count)
        try #require(digits.count == count)
        bytes = bytes.dropFirst(count)
        return digits.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
