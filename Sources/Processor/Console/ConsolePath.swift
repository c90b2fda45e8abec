/// Where the console's pages are (docs/console.md#addresses).
enum ConsolePath {
    static let root = "/console"
    static let signIn = "/console/sign-in"
    static let signOut = "/console/sign-out"
    private static let assets = "/console/assets/"

    /// Whether a path as sent is one of the console's: the admin API's rules for programs are not for it.
    static func owns(_ path: String) -> Bool { path == root || path.hasPrefix("\(root)/") }

    /// Shown to whoever may connect, signed in or not: nothing of it tells about payments.
    static func isOpen(_ path: String) -> Bool { path == signIn || path.hasPrefix(assets) }

    /// What programs of the page ask for: no page to sign in at is an answer to them.
    static func isStream(_ path: String) -> Bool { path.hasSuffix("/events") }

    /// Where a person may be sent after signing in: a page of the console, and nowhere else.
    static func destination(_ asked: String?) -> String {
        guard let asked, !asked.contains("\\"), asked.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 32 }),
            owns(String(asked.prefix { $0 != "?" && $0 != "#" })), asked != signOut, !asked.hasPrefix(signIn)
        else { return root }
        return asked
    }

    /// A path with what goes behind the question mark; what is `nil` or empty is left out.
    static func link(_ path: String, _ parameters: [(String, String?)]) -> String {
        let pairs = parameters.compactMap { name, value -> String? in
            guard let value, !value.isEmpty else { return nil }
            return "\(encoded(name))=\(encoded(value))"
        }
        return pairs.isEmpty ? path : "\(path)?\(pairs.joined(separator: "&"))"
    }

    static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += byte < 16 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
