import Core
import Simulation
import Testing

@Suite("The search for an authorize")
struct AuthorizeSearchTests {
    @Test(
        "what follows an authorize that the store could not place waits for it, also in a process that knows nothing of it"
    )
    func inAnotherProcess() throws {
        try World.run(consumers: { [$0.consumer(), $0.consumer()] }) { world in
            world.store.setDown(true)
            world.send(.authorize, key: "a", to: 0)
            try await world.until { !world.parked.isEmpty }
            world.store.setDown(false)
            world.send(.capture, key: "c", to: 1)
            try await world.drained()
            #expect(world.replies("a").map(\.outcome) == ["succeeded"])
            #expect(world.replies("c").map(\.outcome) == ["succeeded"])
        }
    }

    @Test("a payment that does not exist is told of after one wait")
    func unknownPayment() throws {
        try World.run { world in
            let started = world.time.uptime()
            let reply = try await world.ask(.capture, key: "c")
            #expect(reply.code == "payment_not_found")
            #expect(world.time.uptime() - started < .seconds(6))
        }
    }

    @Test("also while others rest on the retry tier, once what rested there at the beginning has come back")
    func amongOthers() throws {
        try World.run { world in
            let other = world.send(.authorize, payment: World.payment(1), key: "other")
            try await world.until { !world.replies("other").isEmpty }
            // Its copies are answered as it was.
            async let copies: Void = {
                for _ in 0..<60 {
                    _ = try await world.broker.publish(other, to: .retry(.seconds30))
                    try await world.time.sleep(for: .seconds(1))
                }
            }()
            try await world.time.sleep(for: .seconds(1))
            let started = world.time.uptime()
            let early = try await world.ask(.capture, payment: World.payment(2), key: "early")
            #expect(early.code == "payment_not_found")
            #expect((.seconds(30))...(.seconds(46)) ~= world.time.uptime() - started)
            let later = world.time.uptime()
            let late = try await world.ask(.capture, payment: World.payment(3), key: "late")
            #expect(late.code == "payment_not_found")
            #expect(world.time.uptime() - later < .seconds(6))
            try await copies
        }
    }
}
