import Core

/// What a policy of the broker does to what waits in a queue.
enum QueuePolicy {
    /// - Parameters:
    ///   - definition: of the policy that is in force.
    ///   - arguments: of the queue, as the topology declares it: they win over the policy.
    /// - Returns: the parts of it that remove, expire or drop messages that wait.
    static func harm(of definition: JSONValue, arguments: [String: HeaderValue]) -> [String] {
        var harm: [String] = []
        if definition["expires"] != nil { harm.append("expires") }
        // What has a time to live already comes back the sooner, and is not lost.
        if definition["message-ttl"] != nil, arguments["x-message-ttl"] == nil { harm.append("message-ttl") }
        let dropsHead = definition["overflow"]?.string.map { $0 == "drop-head" } ?? true
        if dropsHead, arguments["x-overflow"] == nil {
            harm += ["max-length", "max-length-bytes"].filter { definition[$0] != nil }
        }
        return harm
    }
}
