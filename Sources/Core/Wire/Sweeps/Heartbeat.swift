/// A message that says nothing: that it arrives is all. Sent to the queue of the ticks, where one that nobody takes is gone after
/// a minute.
package enum Heartbeat {
    package static let type = "heartbeat.v1"

    package static let message = Message(type: type, contentType: "application/json", body: Array("{}".utf8))
}
