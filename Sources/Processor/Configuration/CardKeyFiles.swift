import ConfigurationReading
import ConfigurationText
import Core
import FoundationEssentials

/// The files of `cards.key-files` and the keys in them.
struct CardKeyFiles: Sendable {
    struct File: Sendable {
        let path: String
        let keys: [CardKey]
    }

    let files: [File]
    let keyring: CardKeyring

    static let none = CardKeyFiles()

    private init() {
        files = []
        keyring = .empty
    }

    /// - Parameter paths: separated by commas, the file of the current key first.
    init(_ paths: String) throws(ValueProblem) {
        var files: [File] = []
        for (index, path) in paths.split(separator: ",").map({ String($0.trimmed) }).enumerated() {
            do throws(CardKeyProblem) {
                files.append(File(path: path, keys: try Self.keys(path)))
            } catch {
                throw ValueProblem("file \(index + 1) \(error)")
            }
        }
        self.files = files
        do throws(CardKeyProblem) {
            keyring = try CardKeyring(files.flatMap(\.keys))
        } catch {
            throw ValueProblem("one of the files \(error)")
        }
    }

    private static func keys(_ path: String) throws(CardKeyProblem) -> [CardKey] {
        guard !path.isEmpty, !path.utf8.contains(0), let data = FileManager.default.contents(atPath: path) else {
            throw CardKeyProblem("cannot be read")
        }
        return try JSONWebKey.privateKeys(Array(data))
    }
}

extension ValueForm where Value == CardKeyFiles {
    static let cardKeyFiles = ValueForm(
        allowed: "paths of files with a JSON Web Key each, separated by commas"
    ) { text throws(ValueProblem) in
        try CardKeyFiles(text)
    }
}
