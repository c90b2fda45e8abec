import AMQP
import ArgumentParser
import Core
import Postgres
import Program

struct TopologyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology",
        abstract: "Declares all exchanges, queues and bindings at the broker.",
        discussion: """
            Changes nothing that is there already. Something that is there with other arguments is named, exit code 1: it must \
            be deleted (when it is empty) or avoided by another amqp.prefix. `processor run` declares too, unless \
            amqp.declare is false.
            """
    )

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let topology = Topology(names: configuration.names, partitions: configuration.partitions)
        let connection = try await AMQPConnection.connect(configuration.broker.named("processor topology"))
        do throws(TopologyError) {
            try await TopologyDeclarer(topology: topology, declares: true).prepare(connection)
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        StandardStream.output.print(
            "declared \(topology.exchanges.count) exchanges, \(topology.queues.count) queues, \(topology.bindings.count) bindings"
        )
    }
}

struct Members: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "Shows the processors that share the command queues, and which partitions are whose.",
        discussion: """
            A processor gives a sign of life every 2 s and is missed after 10 s. Each partition belongs to one of them; \
            another one may still be finishing what it has read.
            """
    )

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let members = try await PostgresMemberStore(pool: .forCommand(configuration)).members(timeout: Member.timeout)
        StandardStream.output.print(text(members, partitions: configuration.partitions))
    }

    func text(_ members: [Member], partitions: Int) -> String {
        let shares = PartitionShares(members: members.map(\.id), partitions: partitions)
        guard json else {
            let rows = members.map { member in
                let owned = shares.partitions(of: member.id).map(String.init).joined(separator: " ")
                return [
                    member.id, member.version, "\(member.startedAt)", "\(member.lastSeen)", owned.isEmpty ? "-" : owned,
                ]
            }
            return TextTable.section("members", ["ID", "VERSION", "STARTED", "LAST SEEN", "PARTITIONS"], rows)
        }
        let list = members.map { member in
            JSONValue.object([
                "id": .string(member.id), "last_seen": .string("\(member.lastSeen)"),
                "partitions": .array(shares.partitions(of: member.id).map { .integer($0) }),
                "started_at": .string("\(member.startedAt)"), "version": .string(member.version),
            ])
        }
        return String(decoding: JSONValue.object(["members": .array(list)]).encoded, as: UTF8.self)
    }
}
