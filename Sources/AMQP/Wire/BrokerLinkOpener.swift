import ThreadExecutor

/// Opens a connection on a thread that may block; whoever uses the connection afterwards may have another one.
actor BrokerLinkOpener {
    nonisolated let executor: ThreadExecutor

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init() throws(ThreadExecutorError) {
        executor = try ThreadExecutor(name: "amqp")
    }

    func open(_ configuration: AMQPConfiguration) throws(AMQPError) -> sending BrokerLink {
        try BrokerLink(configuration)
    }
}
