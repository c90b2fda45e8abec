import Core
import Postgres

/// Whether the database is fit, has the schema, lets this role work, and has the time right.
struct DatabaseChecks: Sendable {
    let configuration: ProcessorConfiguration

    func findings() async -> [Finding] {
        let pool = PostgresPool.forCommand(configuration)
        let facts: Facts
        do throws(PostgresError) {
            facts = try await pool.transaction { connection throws(PostgresError) in try Facts(on: connection) }
        } catch {
            return [Finding("database", .wrong, "\(error); see database.url (DATABASE_URL)")]
        }
        var findings = [facts.login]
        let problems = facts.settings.problems(
            statementTimeout: configuration.database.statementTimeoutMilliseconds
        )
        findings += problems.map { Finding("database settings", .wrong, $0) }
        if problems.isEmpty {
            findings.append(Finding("database settings", .ok, "UTF8, commits are kept, one schema"))
            findings.append(await schema(pool))
        }
        findings.append(facts.rights)
        findings.append(Self.skew("clock of the database", facts.clock.duration(to: SystemTime().now())))
        return findings
    }

    private func schema(_ pool: PostgresPool) async -> Finding {
        do throws(MigrationError) {
            try await Migrator(pool: pool).check()
            return Finding("schema", .ok, "up to date")
        } catch .outdated(let names) {
            let grade: Finding.Grade = configuration.migratesDatabase ? .advice : .wrong
            return Finding("schema", grade, "lacks \(names.joined(separator: ", ")); run `processor migrate`")
        } catch {
            return Finding("schema", .wrong, "\(error)")
        }
    }

    /// Leases are judged by the database's clock alone, and deadlines by ours: seconds do no harm.
    static func skew(_ subject: String, _ skew: Duration) -> Finding {
        let seconds = abs(skew.components.seconds)
        let detail = "differs from ours by \(seconds) s"
        guard seconds >= 5 else { return Finding(subject, .ok, detail) }
        return Finding(subject, seconds >= 60 ? .wrong : .advice, "\(detail); let both follow a time server")
    }

    /// What one check of the database finds.
    private struct Facts: Sendable {
        let role: String
        let version: String
        let isReadOnly: Bool
        let clock: Timestamp
        /// The tables of ours with which the role may not do what `processor run` does (`GrantStatements`).
        let forbidden: [String]
        let settings: DatabaseFacts

        init(on connection: isolated PostgresConnection) throws(PostgresError) {
            let row = try connection.execute(
                """
                SELECT current_user::text, current_setting('server_version'), current_setting('transaction_read_only'),
                    clock_timestamp()
                """
            ).single()
            role = try row.text(0)
            version = try row.text(1)
            isReadOnly = try row.text(2) != "off"
            clock = Timestamp(microseconds: try row.timestamp(3))
            forbidden = try RoleRights.forbidden(on: connection)
            settings = try DatabaseFacts(on: connection)
        }

        var login: Finding {
            guard !isReadOnly else {
                return Finding("database", .wrong, "can only be read from; name the primary in database.url")
            }
            return Finding("database", .ok, "PostgreSQL \(version), as \(role)")
        }

        var rights: Finding {
            guard forbidden.isEmpty else {
                let list = forbidden.joined(separator: ", ")
                let way = "let its owner run what `processor grants --role \(role)` prints"
                return Finding("database role", .wrong, "\(role) may not do what is needed with \(list); \(way)")
            }
            return Finding("database role", .ok, "\(role) may do what is needed with every table")
        }
    }
}
