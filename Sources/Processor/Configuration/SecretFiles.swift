import ConfigurationText
import Core
import FoundationEssentials

/// Secrets that are kept in files of their own: `ADMIN_TOKEN_FILE` names the one of `admin.token` (docs/contract.md#secrets-in-files).
struct SecretFiles: Sendable {
    /// One line each.
    private(set) var problems: [String] = []
    /// The files that were read.
    private(set) var files: [SecretFile] = []

    /// - Parameter variables: of the environment, or of `.env`.
    /// - Returns: the same, with what the files say under the names of the secrets.
    mutating func resolved(_ variables: [String: String]) -> [String: String] {
        var resolved = variables
        for setting in Settings.all where setting.isSecret {
            guard let path = variables[setting.fileVariable], !path.isEmpty else { continue }
            guard variables[setting.variable]?.isEmpty ?? true else {
                problems.append("\(setting.title): is given twice, by \(setting.fileVariable) too")
                continue
            }
            guard let data = FileManager.default.contents(atPath: path), data.count <= 65_536,
                let text = String(validating: data, as: UTF8.self)
            else {
                problems.append("\(setting.title): the file of \(setting.fileVariable) cannot be read as UTF-8 text")
                continue
            }
            resolved[setting.variable] = Self.withoutLineEnd(text)
            files.append(SecretFile(setting.fileVariable, path))
        }
        return resolved
    }

    private static func withoutLineEnd(_ text: String) -> String {
        var text = text[...]
        while let last = text.unicodeScalars.last, last == "\n" || last == "\r" { text.unicodeScalars.removeLast() }
        return String(text)
    }
}

/// A file that gives access to something, and whose setting names it.
struct SecretFile: Hashable, Sendable {
    let name: String
    let path: String

    init(_ name: String, _ path: String) {
        self.name = name
        self.path = path
    }
}

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
