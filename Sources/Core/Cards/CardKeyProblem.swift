/// Why a text is no key that can be used for cards. Never with anything of the key in it.
package struct CardKeyProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
