import Testing

@testable import Postgres

@Suite("A pool", .database, .timeLimit(.minutes(2)))
struct PoolTests {
    /// Runs a pool for as long as `body` takes.
    private static func with(
        _ configuration: PostgresConfiguration,
        size: Int,
        waitTimeout: Duration = .seconds(30),
        onStateChange: @escaping @Sendable (PostgresPoolState) -> Void = { _ in },
        _ body: (PostgresPool) async throws -> Void
    ) async throws {
        let pool = PostgresPool(
            configuration,
            size: size,
            waitTimeout: waitTimeout,
            onStateChange: onStateChange
        )
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await pool.run() }
            defer { group.cancelAll() }
            try await body(pool)
        }
    }

    @Test("of three serves a hundred borrowers, three at a time")
    func borrowers() async throws {
        try await TestSchema.with { schema in
            try await Self.with(schema.configuration(), size: 3) { pool in
                let lent = Shared(0)
                let most = Shared(0)
                let pids = Shared<Set<Int32>>([])
                try await withThrowingTaskGroup { group in
                    for number in Int32(0)..<100 {
                        group.addTask {
                            try await pool.withConnection { connection throws(PostgresError) in
                                let now = lent.update { lent in
                                    lent += 1
                                    return lent
                                }
                                most.update { $0 = max($0, now) }
                                let row = try connection.execute(
                                    "SELECT $1, pg_backend_pid() FROM pg_sleep(0.001)",
                                    [.int4(number)]
                                ).single()
                                lent.update { $0 -= 1 }
                                let pid = try row.int32(1)
                                pids.update { _ = $0.insert(pid) }
                                return try row.int32(0)
                            }
                        }
                    }
                    var sum: Int32 = 0
                    for try await number in group { sum += number }
                    #expect(sum == 4950)
                }
                #expect(most.value <= 3)
                #expect(pids.value.count <= 3)
                #expect(pool.waiting == 0)
            }
        }
    }

    @Test("serves borrowers in the order of their coming")
    func fairness() async throws {
        try await TestSchema.with { schema in
            try await Self.with(schema.configuration(), size: 1) { pool in
                let holder = try await schema.connect()
                _ = try await holder.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
                let order = Shared<[Int]>([])
                try await withThrowingTaskGroup { group in
                    for number in 0..<20 {
                        group.addTask {
                            try await pool.withConnection { connection throws(PostgresError) in
                                if number == 0 {
                                    _ = try connection.execute(
                                        "SELECT pg_advisory_lock(hashtext($1))",
                                        [.text(schema.name)]
                                    )
                                }
                                order.update { $0.append(number) }
                            }
                        }
                        // The first holds the connection, and each later one stands behind the one before it.
                        if number == 0 {
                            try await holder.waitUntil(
                                """
                                SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1
                                               AND wait_event_type = 'Lock')
                                """,
                                [.text(schema.name)]
                            )
                        } else {
                            while pool.waiting < number { try await Task.sleep(for: .milliseconds(1)) }
                        }
                    }
                    _ = try await holder.execute("SELECT pg_advisory_unlock_all()")
                    try await group.waitForAll()
                }
                #expect(order.value == Array(0..<20))
            }
        }
    }

    @Test("with all connections out tells the waiting after the wait timeout, and goes on")
    func waitTimeout() async throws {
        try await TestSchema.with { schema in
            let holder = try await schema.connect()
            try await Self.with(schema.configuration(), size: 1, waitTimeout: .milliseconds(300)) { pool in
                #expect(try await pool.execute("SELECT 1").count == 1)
                _ = try await holder.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
                async let held = pool.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
                try await holder.waitUntil(
                    """
                    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1
                                   AND wait_event_type = 'Lock')
                    """,
                    [.text(schema.name)]
                )
                let error = await postgresError { try await pool.execute("SELECT 1") }
                #expect(error?.code == .waitTimedOut)
                #expect(error?.isRetriable == true)
                #expect(pool.waiting == 0)
                _ = try await holder.execute("SELECT pg_advisory_unlock_all()")
                _ = try await held
                #expect(try await pool.execute("SELECT 1").count == 1)
            }
        }
    }

    @Test("forgets a borrower whose task is cancelled while it waits")
    func cancelledWaiter() async throws {
        try await TestSchema.with { schema in
            let holder = try await schema.connect()
            try await Self.with(schema.configuration(), size: 1) { pool in
                _ = try await holder.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
                async let held = pool.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
                try await holder.waitUntil(
                    """
                    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1
                                   AND wait_event_type = 'Lock')
                    """,
                    [.text(schema.name)]
                )
                let waiters = (0..<10).map { _ in Task { await postgresError { try await pool.execute("SELECT 1") } } }
                while pool.waiting < 10 { try await Task.sleep(for: .milliseconds(1)) }
                for waiter in waiters.dropLast() { waiter.cancel() }
                for waiter in waiters.dropLast() { #expect(await waiter.value?.code == .cancelled) }
                #expect(pool.waiting == 1)
                _ = try await holder.execute("SELECT pg_advisory_unlock_all()")
                _ = try await held
                #expect(await waiters.last?.value == nil)
            }
        }
    }

    @Test("loses no connection to borrowers who are cancelled at any moment")
    func noLeak() async throws {
        try await TestSchema.with { schema in
            try await Self.with(schema.configuration(), size: 2) { pool in
                for round in 0..<100 {
                    let tasks = (0..<6).map { _ in
                        Task { await postgresError { try await pool.execute("SELECT pg_sleep(0.001)") } }
                    }
                    for _ in 0..<(round % 25) { await Task.yield() }
                    for task in tasks { task.cancel() }
                    for task in tasks {
                        let error = await task.value
                        #expect(error == nil || error?.code == .cancelled)
                    }
                }
                #expect(pool.waiting == 0)
                // Both are still there: each waits for the other.
                try await withThrowingTaskGroup { group in
                    let inside = Shared(0)
                    for _ in 0..<2 {
                        group.addTask {
                            try await pool.withConnection { connection throws(PostgresError) in
                                inside.update { $0 += 1 }
                                while inside.value < 2 { _ = try connection.execute("SELECT 1") }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("replaces connections that the server ended, idle ones and busy ones")
    func terminated() async throws {
        try await TestSchema.with { schema in
            let observer = try await schema.connect([:]) { $0.applicationName = "observer" }
            let states = AsyncStream<PostgresPoolState>.makeStream()
            try await Self.with(
                schema.configuration(),
                size: 3,
                onStateChange: { states.continuation.yield($0) },
                { pool in
                    async let busy = postgresError { try await pool.execute("SELECT pg_sleep(60)") }
                    let mine = "FROM pg_stat_activity WHERE application_name = $1"
                    try await observer.waitUntil(
                        "SELECT count(*) = 3 AND bool_or(state = 'active' AND query LIKE '%pg_sleep%') \(mine)",
                        [.text(schema.name)]
                    )
                    let ended = try await observer.execute(
                        "SELECT pid, pg_terminate_backend(pid) \(mine)",
                        [.text(schema.name)]
                    )
                    let processes = try ended.map { try Int64($0.int32("pid")) }
                    #expect(processes.count == 3)
                    let error = await busy
                    #expect(error?.code == .connectionLost)
                    #expect(error?.isAdminShutdown == true)
                    // Signalled is not ended: a statement may still meet a session that is about to go.
                    try await observer.waitUntil(
                        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ANY ($1))",
                        [.int8Array(processes)]
                    )
                    for _ in 0..<10 { #expect(try await pool.execute("SELECT 1").count == 1) }
                    try await observer.waitUntil("SELECT count(*) = 3 \(mine)", [.text(schema.name)])
                    #expect(pool.state == .up)
                }
            )
            states.continuation.finish()
            var seen: [PostgresPoolState] = []
            for await state in states.stream { seen.append(state) }
            #expect(seen.first == .up)
            #expect(seen.last == .closed)
        }
    }

    @Test("reports the server's going and coming, is retriable in between, and recovers by itself")
    func outage() async throws {
        let proxy = try CuttingProxy(to: TestServer.port())
        let states = AsyncStream<PostgresPoolState>.makeStream()
        var iterator = states.stream.makeAsyncIterator()
        let conninfo = try TestServer.conninfo(["host": "127.0.0.1", "port": "\(proxy.port)", "sslmode": "disable"])
        let pool = PostgresPool(
            try PostgresConfiguration(conninfo: conninfo),
            size: 2,
            waitTimeout: .milliseconds(200),
            onStateChange: { states.continuation.yield($0) }
        )
        proxy.set(.down)
        let running = Task { await pool.run() }
        guard case .down(let cause) = await iterator.next() else {
            Issue.record("not down at first")
            return
        }
        #expect(cause.code == .connectFailed)
        let error = await postgresError { try await pool.execute("SELECT 1") }
        #expect(error?.code == .connectFailed)
        #expect(error?.isRetriable == true)
        #expect(error?.outcomeUnknown == false)

        proxy.set(.forward)
        var next = await iterator.next()
        while next != .up { next = await iterator.next() }
        #expect(try await pool.execute("SELECT 1").count == 1)

        proxy.set(.down)
        next = await iterator.next()
        while next == .up { next = await iterator.next() }
        guard case .down = next else {
            Issue.record("not down again")
            return
        }
        proxy.set(.forward)
        while next != .up { next = await iterator.next() }
        running.cancel()
        await running.value
        #expect(pool.state == .closed)
    }

    @Test("closing lets those finish who have a connection, and turns away the others")
    func close() async throws {
        try await TestSchema.with { schema in
            let holder = try await schema.connect([:]) { $0.applicationName = "holder" }
            let pool = PostgresPool(try schema.configuration(), size: 1)
            let running = Task { await pool.run() }
            _ = try await holder.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
            async let held = pool.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
            try await holder.waitUntil(
                """
                SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock')
                """,
                [.text(schema.name)]
            )
            async let waiting = postgresError { try await pool.execute("SELECT 1") }
            while pool.waiting < 1 { try await Task.sleep(for: .milliseconds(1)) }
            let closing = Task { await pool.close() }
            #expect(await waiting?.code == .closed)
            #expect(await postgresError { try await pool.execute("SELECT 1") }?.code == .closed)
            _ = try await holder.execute("SELECT pg_advisory_unlock_all()")
            #expect(try await held.count == 1)
            await closing.value
            await running.value
            try await holder.waitUntil(
                "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1)",
                [.text(schema.name)]
            )
        }
    }
}
