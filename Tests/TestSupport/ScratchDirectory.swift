import Glibc

/// A temporary folder that is a test's own.
package struct ScratchDirectory: Sendable {
    package let path: String

    /// - Throws: `ChildError` when it cannot be made.
    package init() throws(ChildError) {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/payment-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ChildError("no temporary folder could be made (errno \(errno))") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private init(path: String) {
        self.path = path
    }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Removes it with all that is in it.
    package func remove() {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            // What cannot be unlinked is a folder; a link to one is unlinked.
            if name != ".", name != "..", unlink(file(name)) != 0 { ScratchDirectory(path: file(name)).remove() }
        }
        closedir(folder)
        rmdir(path)
    }

    /// The whole text of a file; empty where there is none.
    package static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Makes a file of the text.
    package static func write(_ text: String, to path: String) throws(ChildError) {
        guard let file = fopen(path, "w") else { throw ChildError("\(path) cannot be written (errno \(errno))") }
        defer { fclose(file) }
        let bytes = Array(text.utf8)
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            throw ChildError("\(path) cannot be written (errno \(errno))")
        }
    }
}
