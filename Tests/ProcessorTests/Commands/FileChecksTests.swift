import Foundation
import Testing

@testable import Processor

@Suite("The doctor's checks of files and clocks")
struct FileChecksTests {
    @Test("a file with a secret that others may read is wrong, and the way out is named")
    func modes() throws {
        let path = "/tmp/doctor-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(FileChecks.finding("key", path).grade == .wrong)
        try Data("secret".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let open = FileChecks.finding("key", path)
        #expect(open.grade == .wrong && open.detail.hasSuffix("chmod 600 \(path)"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(FileChecks.finding("key", path).grade == .ok)
    }

    @Test(
        "a clock may differ a little",
        arguments: [(0, Finding.Grade.ok), (4, .ok), (-4, .ok), (5, .advice), (-59, .advice), (60, .wrong)]
    )
    func skew(seconds: Int, grade: Finding.Grade) {
        #expect(DatabaseChecks.skew("clock", .seconds(seconds)).grade == grade)
    }
}
