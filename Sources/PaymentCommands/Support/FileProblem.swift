import Glibc

/// Why a file cannot be used, in the system's words.
package struct FileProblem: Error, Equatable, CustomStringConvertible {
    package let number: Int32

    /// - Parameter number: an `errno`.
    package init(number: Int32) {
        self.number = number
    }

    package var description: String { String(cString: strerror(number)) }
}
