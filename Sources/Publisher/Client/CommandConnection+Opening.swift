import PaymentCommands

extension CommandConnection {
    /// Connects; what is wrong is said in the words of the command line.
    static func opened(_ configuration: PublisherConfiguration) async throws(Failure) -> CommandConnection {
        do throws(PaymentClientError) {
            return try await connect(configuration.client)
        } catch {
            throw Failure(error)
        }
    }
}
