/// A value that prints as `***`, however it is printed.
struct Secret: Hashable, Sendable {
    let value: String

    init(_ value: String) {
        self.value = value
    }

    var bytes: [UInt8] { Array(value.utf8) }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { Redaction.mask }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
