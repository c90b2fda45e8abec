import Core
import FoundationEssentials

extension ValueForm where Value == MerchantAccess {
    /// Empty lines and those that begin with # count for nothing.
    static let merchants = ValueForm(
        allowed: "the path of a readable file with lines of a broker user and merchant ids, these separated by commas"
    ) { text throws(ValueProblem) in
        guard !text.utf8.contains(0), let data = FileManager.default.contents(atPath: text), data.count <= 1 << 24,
            let content = String(validating: data, as: UTF8.self)
        else { throw ValueProblem("names a file that cannot be read as UTF-8 text") }
        var merchants: [String: Set<MerchantID>] = [:]
        for (index, line) in content.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard let first = line.first(where: { !$0.isWhitespace }), first != "#" else { continue }
            let fields = line.split(whereSeparator: \.isWhitespace)
            let ids = fields.dropFirst().first?.split(separator: ",").map { MerchantID(String($0)) } ?? []
            guard fields.count == 2, !ids.isEmpty, !ids.contains(nil) else {
                throw ValueProblem("line \(index + 1) is not a broker user and merchant ids, these separated by commas")
            }
            guard merchants.updateValue(Set(ids.compactMap(\.self)), forKey: String(fields[0])) == nil else {
                throw ValueProblem("line \(index + 1) names a broker user that another line names, too")
            }
        }
        return MerchantAccess(merchants)
    }
}
