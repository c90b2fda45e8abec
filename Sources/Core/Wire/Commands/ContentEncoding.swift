/// The property `content_encoding`, by what clients write into it: two of the most used libraries set the name of a character set.
package enum ContentEncoding {
    /// Whether the body is what it is, neither compressed nor in another character set.
    package static func isPlain(_ encoding: String?) -> Bool {
        guard let encoding = encoding?.lowercased() else { return true }
        return encoding.isEmpty || encoding == "identity" || isUTF8(encoding)
    }

    /// - Parameter name: in lower case.
    static func isUTF8(_ name: some StringProtocol) -> Bool {
        ["utf-8", "utf8", "utf_8", "csutf8"].contains { $0 == name }
    }
}
