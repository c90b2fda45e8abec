import AMQP
import ArgumentParser
import Core
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
