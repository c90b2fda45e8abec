import Core
import Foundation
import PaymentCommands
import Testing

@testable import Publisher

@Suite("The keys of a batch", .timeLimit(.minutes(1)))
struct BatchKeysTests {
    private let folder: TemporaryFile

    init() throws {
        folder = try TemporaryFile(environmentFile: "")
    }

    private static let keyless = Fixture.line("authorize", #""body":\#(Fixture.authorizeBody)"#)
    private static let void = Fixture.line("void", #""payment_id":"\#(Fixture.paymentID)""#)

    private var path: String { folder.path + "/batch.keys" }

    private func complete(_ lines: [String]) throws -> BatchKeys.Completed {
        let entries = try lines.enumerated().map { index, line in
            BatchEntry(line: index + 1, command: try BatchLine.command(Array(line.utf8)))
        }
        return try BatchKeys.complete(entries, of: "batch", in: .file(path))
    }

    /// Of a run that ends at once.
    private func identifiers(_ lines: [String]) throws -> [String] {
        try complete(lines).entries.map { "\($0.command.idempotencyKey) \($0.command.paymentID)" }
    }

    @Test("are the same in every run with the same file, and one for each line")
    func again() throws {
        let lines = [Self.keyless, Self.keyless, Fixture.authorizeLine(), Self.void]
        let first = try identifiers(lines)
        #expect(Set(first).count == 4)
        #expect(first[2].hasPrefix("k-1 ") && first[3].hasSuffix(Fixture.paymentID))
        #expect(try identifiers(lines) == first)
        #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 3)
    }

    @Test("are made for new lines, and stay what they were for the others")
    func appended() throws {
        let first = try identifiers([Self.keyless])
        let second = try identifiers([Self.keyless, Self.keyless])
        #expect(second.first == first.first && second[1] != first[0])
        #expect(try identifiers([Self.keyless, Self.keyless]) == second)
    }

    @Test("are kept by nobody else, and hold no card data")
    func secrecy() throws {
        _ = try identifiers([Self.keyless])
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(!text.contains("4111"))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        // A digest of the card's number could be guessed: another card must not change it.
        let other = Self.keyless.replacing("4111111111111111", with: "5555555555554444").replacing("123", with: "999")
        #expect(
            try CommandDigest.of(BatchLine.command(Array(Self.keyless.utf8)))
                == CommandDigest.of(BatchLine.command(Array(other.utf8)))
        )
    }

    @Test("of other lines are not used", arguments: [void, keyless.replacing("5000", with: "5001")])
    func changed(line: String) throws {
        _ = try identifiers([Self.keyless, Self.keyless])
        let failure = #expect(throws: Failure.self) { try complete([Self.keyless, line]) }
        #expect(failure?.status == .usage)
        #expect(failure?.details == ["batch:2: has changed"])
    }

    @Test("whose writing was cut off are made anew: nothing had been sent", arguments: [1, 40, 100])
    func torn(bytes: Int) throws {
        let first = try identifiers([Self.keyless])
        let whole = try String(contentsOfFile: path, encoding: .utf8)
        try (whole + whole.prefix(bytes)).write(toFile: path, atomically: false, encoding: .utf8)
        let second = try identifiers([Self.keyless, Self.keyless])
        #expect(second.first == first.first)
        #expect(try identifiers([Self.keyless, Self.keyless]) == second)
    }

    @Test("count without a line feed too")
    func withoutLineFeed() throws {
        let first = try identifiers([Self.keyless])
        let whole = try String(contentsOfFile: path, encoding: .utf8)
        try String(whole.dropLast()).write(toFile: path, atomically: false, encoding: .utf8)
        let second = try identifiers([Self.keyless, Self.keyless])
        #expect(second.first == first.first)
        #expect(try identifiers([Self.keyless, Self.keyless]) == second)
    }

    @Test("may be what a run has said on standard error")
    func standardError() throws {
        let record = KeyRecord(BatchEntry(line: 1, command: try BatchLine.command(Array(Self.keyless.utf8))))
        let text = String(decoding: record.encoded, as: UTF8.self) + "publisher: gave up: no reply came for 1s\n"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        #expect(try identifiers([Self.keyless]) == ["\(record.idempotencyKey) \(record.paymentID)"])
    }

    @Test(
        "cannot be kept in what is no file of keys",
        arguments: ["hello\n", "{}\n", #"{"line":1}"# + "\n", keyless + "\n"]
    )
    func otherFile(text: String) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        let failure = #expect(throws: Failure.self) { try complete([Self.keyless]) }
        #expect(failure?.status == .usage)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }

    @Test("cannot be kept where nothing can be read again", arguments: ["/dev/null", "/nowhere/keys", "/"])
    func nowhere(path: String) throws {
        let entry = BatchEntry(line: 1, command: try BatchLine.command(Array(Self.keyless.utf8)))
        let failure = #expect(throws: Failure.self) {
            try BatchKeys.complete([entry], of: "batch", in: .file(path))
        }
        #expect(failure?.status == .usage)
        #expect(failure?.lines.first?.contains("kept in \(path): ") == true)
        // One with a key needs none of this.
        let keyed = BatchEntry(line: 1, command: try BatchLine.command(Array(Fixture.authorizeLine().utf8)))
        #expect(try BatchKeys.complete([keyed], of: "batch", in: .file(path)).made == 0)
    }

    @Test("are used by one run at a time")
    func locked() throws {
        let first = try complete([Self.keyless])
        let failure = #expect(throws: Failure.self) { try complete([Self.keyless]) }
        #expect(failure?.lines.first?.contains("another run is using it") == true)
        withExtendedLifetime(first.file) {}
    }

    @Test("are beside the batch where nothing else is said")
    func place() {
        #expect(BatchKeys.Place(option: nil, file: "a.ndjson") == .file("a.ndjson.keys"))
        #expect(BatchKeys.Place(option: "b", file: "a.ndjson") == .file("b"))
        #expect(BatchKeys.Place(option: "-", file: "a.ndjson") == .standardError)
        #expect(BatchKeys.Place(option: nil, file: "-") == .standardError)
    }
}
