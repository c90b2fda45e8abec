import Glibc

@testable import Postgres

/// The server of `DATABASE_URL`.
enum TestServer {
    struct NotConfigured: Error {}

    static func conninfo() throws -> String {
        guard let value = getenv("DATABASE_URL") else { throw NotConfigured() }
        return String(cString: value)
    }

    /// The connection string with some keywords set otherwise.
    static func conninfo(_ changes: [String: String]) throws -> String {
        let original = try ConnectionString(conninfo())
        var values = Dictionary(uniqueKeysWithValues: original.values.map { ($0.keyword, $0.value) })
        values.merge(changes) { $1 }
        return values.map { keyword, value in
            let escaped = value.reduce(into: "") { text, character in
                if character == "'" || character == "\\" { text.append("\\") }
                text.append(character)
            }
            return "\(keyword)='\(escaped)'"
        }.joined(separator: " ")
    }

    static func port() throws -> UInt16 {
        let string = try ConnectionString(conninfo())
        return string["port"].flatMap { UInt16($0) } ?? 5432
    }

    /// A port of this machine on which nobody listens.
    static func closedPort() throws -> UInt16 {
        let listener = try LoopbackListener()
        return listener.port
    }
}
