import Glibc
import PaymentCommands

/// A file of keys, open and locked as long as this value is held: two runs that make keys for the same lines would make
/// two effects of each.
final class KeysFile {
    let path: String
    private let descriptor: Int32
    private let isWritable: Bool
    /// By line.
    let records: [Int: KeyRecord]
    /// Where the last whole record ends: what is behind it was being written when a run ended, so nothing was sent for it.
    private let wholeLength: Int

    /// Opens it, or makes it.
    init(_ path: String) throws(Failure) {
        var descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0o600)
        isWritable = descriptor >= 0
        // One that has all the keys already need not be written to.
        if descriptor < 0 { descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) }
        guard descriptor >= 0 else { throw Self.unusable(path, FileProblem(number: errno).description) }
        self.path = path
        self.descriptor = descriptor
        do throws(Failure) {
            try Self.lock(descriptor, path)
            let bytes = try Self.content(descriptor, path)
            let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            wholeLength = KeyRecord(bytes[end...]) == nil ? end : bytes.count
            records = try Self.records(bytes[..<wholeLength], path)
            guard !records.isEmpty || end == 0 && bytes.first ?? UInt8(ascii: "{") == UInt8(ascii: "{") else {
                throw Self.unusable(path, "it is another kind of file")
            }
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit {
        close(descriptor)
    }

    /// Returns once they are on the disk, and the file's name too.
    func append(_ records: [KeyRecord]) throws(Failure) {
        guard isWritable else { throw Self.unusable(path, FileProblem(number: EACCES).description) }
        guard ftruncate(descriptor, wholeLength) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
            throw Self.unusable(path, FileProblem(number: errno).description)
        }
        // Begins with a line feed, for a record that somebody has left without one; an empty line is none.
        var rest = ([UInt8(ascii: "\n")] + records.flatMap(\.encoded))[...]
        if wholeLength == 0 { rest = rest.dropFirst() }
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == 0 || errno != EINTR {
                throw Self.unusable(path, FileProblem(number: count == 0 ? EIO : errno).description)
            }
        }
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard fsync(descriptor) == 0, directory >= 0, fsync(directory) == 0 else {
            let problem = FileProblem(number: errno)
            if directory >= 0 { close(directory) }
            throw Self.unusable(path, problem.description)
        }
        close(directory)
    }

    private static func lock(_ descriptor: Int32, _ path: String) throws(Failure) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw unusable(path, "it is no ordinary file, so nothing could be read from it again")
        }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno != EINTR else { continue }
            guard errno == EWOULDBLOCK else { throw unusable(path, FileProblem(number: errno).description) }
            throw unusable(path, "another run is using it: wait until that has ended")
        }
    }

    private static func content(_ descriptor: Int32, _ path: String) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 256 * 1_024)
        while true {
            let count = read(descriptor, &block, block.count)
            if count > 0 {
                bytes += block[..<count]
            } else if count == 0 {
                return bytes
            } else if errno != EINTR {
                throw unusable(path, FileProblem(number: errno).description)
            }
        }
    }

    /// Lines that are not objects are passed over: a file of keys may be what a run has said on standard error.
    private static func records(_ bytes: ArraySlice<UInt8>, _ path: String) throws(Failure) -> [Int: KeyRecord] {
        var records: [Int: KeyRecord] = [:]
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where line.first == UInt8(ascii: "{") {
            guard let record = KeyRecord(line), records.updateValue(record, forKey: record.line) == nil else {
                throw unusable(path, "its line \(number + 1) does not say the key of another line")
            }
        }
        return records
    }

    static func unusable(_ path: String, _ problem: String) -> Failure {
        Failure(
            .usage,
            "nothing was sent: lines have no idempotency_key, and those made for them cannot be kept in \(path): \(problem); "
                + "give another --keys PATH, or --keys - to have them on standard error"
        )
    }
}
