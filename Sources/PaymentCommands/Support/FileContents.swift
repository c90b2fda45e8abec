import Glibc

/// A small file, read whole.
enum FileContents {
    /// - Parameter limit: in bytes; of a larger file the rest is left out.
    static func of(_ path: String, upTo limit: Int) throws(FileProblem) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem(number: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 * 1_024)
        while bytes.count < limit {
            let count = read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileProblem(number: errno) }
            if count == 0 { break }
            bytes += block[..<count]
        }
        return bytes
    }
}
