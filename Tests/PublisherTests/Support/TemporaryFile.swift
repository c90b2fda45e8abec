import Foundation

/// A file, or a folder, that is gone when nobody holds it any more.
final class TemporaryFile: Sendable {
    let path: String

    init(_ text: String) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("publisher-\(UUID())").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// A folder with a file `.env`, to run in.
    init(environmentFile text: String) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("publisher-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/.env"))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
