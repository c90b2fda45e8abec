/// A message: its properties and its body.
package struct AMQPMessage: Sendable, Equatable {
    package var properties: AMQPProperties
    package var body: [UInt8]

    package init(properties: AMQPProperties = AMQPProperties(), body: [UInt8] = []) {
        self.properties = properties
        self.body = body
    }
}
