/// Where the processors that share the command queues sign themselves in. All times are the store's.
package protocol MemberStore: Sendable {
    /// Gives a sign of life.
    ///
    /// - Parameters:
    ///   - id: of this start of this processor.
    ///   - subscribed: the partitions that it is subscribed to.
    ///   - timeout: who has not been seen for so long is gone.
    /// - Returns: all that are not gone, this one among them.
    func renewMember(
        _ id: String,
        version: String,
        subscribed: Set<Int>,
        timeout: Duration
    ) async throws(StoreError) -> [Member]

    /// All that are not gone.
    func members(timeout: Duration) async throws(StoreError) -> [Member]

    /// Signs off. Nothing where it is gone already.
    func removeMember(_ id: String) async throws(StoreError)
}
