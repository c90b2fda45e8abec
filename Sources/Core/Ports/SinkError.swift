/// Why the broker has not taken a message.
package struct SinkError: Error, Hashable, Sendable {
    package enum Kind: String, Sendable {
        /// The broker could not be asked, or did not answer: the message may have been stored. Publishing it again is safe.
        case unavailable
        /// Its exchange is missing, or may not be written to. What goes elsewhere goes on.
        case unusableDestination
        /// The broker is there, and its queue confirms nothing: the message may have been stored. What goes elsewhere goes on.
        case silentDestination
        /// It can never be published: it cannot be encoded, or the broker refuses it as it is.
        case unpublishable
    }

    package let kind: Kind
    /// Codes and names, never content.
    package let detail: String

    package init(_ kind: Kind = .unavailable, detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

extension SinkError: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .unavailable: "broker unavailable (\(detail))"
        case .unusableDestination: "destination unusable (\(detail))"
        case .silentDestination: "destination silent (\(detail))"
        case .unpublishable: "message can never be published (\(detail))"
        }
    }
}
