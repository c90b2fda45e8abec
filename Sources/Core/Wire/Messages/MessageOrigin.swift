/// What the adapter that took a message knows of it beyond the contract: opaque here, carried along by a copy, so that a message that
/// waits on a retry tier loses nothing there.
///
/// It is no part of what a message says: two messages that differ in nothing else are equal.
package struct MessageOrigin: Hashable, Sendable, CustomReflectable {
    /// `nil` where the message was made here.
    package let value: (any Sendable)?

    package init(_ value: (any Sendable)? = nil) {
        self.value = value
    }

    package static func == (_: MessageOrigin, _: MessageOrigin) -> Bool { true }

    package func hash(into _: inout Hasher) {}

    /// Shows nothing: whatever a client sent may be in it.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
