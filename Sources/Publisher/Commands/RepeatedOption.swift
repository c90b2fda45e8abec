/// ArgumentParser takes the last of two equal options without a word; with money that is no good.
enum RepeatedOption {
    /// - Throws: `Failure` where an option is given twice.
    static func check(_ arguments: [String]) throws(Failure) {
        var seen: Set<Substring> = []
        for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
            let name = argument.prefix { $0 != "=" }
            guard seen.insert(name).inserted else {
                throw Failure(.usage, "\(CardNumberMask.masking(String(name))) is given twice: give it once")
            }
        }
    }
}
