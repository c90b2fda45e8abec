import Core
import HTTPClient
import TestSupport
import Testing

extension CommandLane {
    @Suite("The comparison with the bank", .timeLimit(.minutes(10)))
    struct LedgerReportTests {
        @Test("agreement is 0, a difference 1, each payment with both sides")
        func report() async throws {
            try await World.run(World.Settings(processor: SweepTimes.byHand, isAudited: false)) { world in
                try await world.startProcessor()
                let captured = try await world.authorized()
                try await world.ask(.capture(captured))
                let refunded = try await world.authorized()
                try await world.ask(.capture(refunded))
                try await world.ask(.refund(refunded))
                let voided = try await world.authorized()
                try await world.ask(.void(voided))
                try await world.ask(.authorize(card: .empty))

                let agreed = try await world.command(["payments", "reconcile-report", "--json"])
                #expect(agreed.exit == .status(0), "\(agreed.errors)")
                let json = try JSONParser.parse(Array(agreed.output.utf8))
                #expect(json["totals"].map(text) == #"{"agree":4,"differ":0,"possible_orphans":0,"unknown":0}"#)
                #expect(json["payments"]?.elements.count == 4)
                for payment in json["payments"]?.elements ?? [] {
                    guard case .object(let members) = payment else { continue }
                    #expect(members.keys.sorted() == ["agrees", "bank", "id", "ours", "possible_orphan"])
                    #expect(payment["agrees"] == .bool(true))
                    #expect(payment["ours"]?["id"] == payment["id"])
                }

                try await world.database.execute(
                    "UPDATE payments SET bank_capture_id = 'cap_00000000-0000-4000-8000-000000000000' WHERE id = '\(captured)'"
                )
                try await world.database.execute("UPDATE payments SET amount = amount + 1 WHERE id = '\(voided)'")
                let differing = try await world.command(["payments", "reconcile-report", "--json"])
                #expect(differing.exit == .status(1))
                let totals = try JSONParser.parse(Array(differing.output.utf8))["totals"]
                #expect(totals.map(text) == #"{"agree":2,"differ":2,"possible_orphans":0,"unknown":0}"#)
                let plain = try await world.command(["payments", "reconcile-report"])
                #expect(plain.exit == .status(1))
                let gone =
                    "capture is not there: ours cap_00000000-0000-4000-8000-000000000000, the bank has none"
                #expect(plain.output.contains("\(captured)  CAPTURED  differs: \(gone)"))
                let other = "authorization.amount: ours 5001, the bank's 5000"
                #expect(plain.output.contains("\(voided)  VOIDED  differs: \(other)"))

                let later = try await world.command([
                    "payments", "reconcile-report", "--json", "--since", "2999-01-01T00:00:00Z",
                ])
                #expect(
                    later.output
                        == #"{"payments":[],"totals":{"agree":0,"differ":0,"possible_orphans":0,"unknown":0}}"# + "\n"
                )
                #expect(try await world.command(["payments", "reconcile-report", "--since", "1h"]).exit == .status(1))
                #expect(
                    try await world.command(["payments", "reconcile-report", "--since", "soon"]).exit == .status(64)
                )
                try await world.bank.fault("down", on: nil, count: nil)
                let down = try await world.command(["payments", "reconcile-report", "--json"])
                #expect(down.exit == .status(69) && down.output.isEmpty, "\(down.output)")
                #expect(down.errors.contains("the bank cannot be reached"), "\(down.errors)")
            }
        }

        @Test("what cannot be told is 1 unless it is allowed, and a suspected second hold is 1 in any case")
        func unknownAndOrphans() async throws {
            try await World.run(World.Settings(processor: SweepTimes.byHand, isAudited: false)) { world in
                let processor = try await world.startQuietProcessor()
                let payment = try await world.authorized()
                let report = ["payments", "reconcile-report"]
                #expect(try await world.command(report).exit == .status(0))
                try await world.makeStuckCaptures(of: [payment])
                #expect(try await world.command(report).exit == .status(1))
                #expect(try await world.command(report + ["--allow-unknown"]).exit == .status(0))

                try await world.database.execute(
                    """
                    INSERT INTO possible_orphans (payment_id, operation_id, grade, at)
                    SELECT id, gen_random_uuid(), 'suspected', now() FROM payments
                    """
                )
                let suspected = try await world.command(report + ["--allow-unknown", "--json"])
                #expect(suspected.exit == .status(1))
                let json = try JSONParser.parse(Array(suspected.output.utf8))
                #expect(json["payments"]?.elements.first?["possible_orphan"]?.string == "suspected")
                #expect(json["totals"]?["possible_orphans"]?.integer == 1)
                let plain = try await world.command(report)
                #expect(plain.output.contains("an operation is under way  possible orphan: suspected"))
                #expect(plain.output.contains("0 agree, 0 differ, 1 cannot be said, 1 possible orphan"))

                let web = try await processor.admin()
                let listed = try await web.send(.get, "/payments?possible_orphans=true")
                let page = try JSONParser.parse(listed.body)
                #expect(page["payments"]?.elements.map { $0["id"]?.string } == [payment])
                #expect(page["payments"]?.elements.first?["possible_orphan"]?.string == "suspected")
                let command = try await world.command(["payments", "list", "--possible-orphans", "--json"])
                #expect(command.output == String(decoding: listed.body, as: UTF8.self) + "\n")
                #expect(try await world.command(["payments", "list", "--possible-orphans"]).output.contains("ORPHAN"))
                #expect(try await web.json("/payments/\(payment)")["possible_orphan"]?.string == "suspected")
                await web.shutdown()
                try await world.database.execute("UPDATE possible_orphans SET grade = 'unlikely'")
                #expect(try await world.command(report + ["--allow-unknown"]).exit == .status(0))
            }
        }

        private func text(_ json: JSONValue) -> String { String(decoding: json.encoded, as: UTF8.self) }
    }
}
