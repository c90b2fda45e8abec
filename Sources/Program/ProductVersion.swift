/// The version of the product: of all its programs.
package enum ProductVersion {
    package static let current = "1.0.0"

    /// What `PROGRAM --version` prints.
    package static func line(of program: String) -> String { "\(program) \(current)" }
}
