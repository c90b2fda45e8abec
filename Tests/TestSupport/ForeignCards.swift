/// The file of sealed cards that other libraries have made, and their keys (`Tests/Interoperability/seal.py`).
package enum ForeignCards {
    /// JSON.
    package static var text: String { ScratchDirectory.read("\(directory)/sealed-cards.json") }

    /// Where the scripts of other languages are.
    package static let directory = "\(DocumentationPage.root)/Tests/Interoperability"
}
