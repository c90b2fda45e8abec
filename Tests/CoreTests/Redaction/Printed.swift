/// Every text that a program can make of a value without knowing its type.
enum Printed {
    static func all(_ value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        return ["\(value)", String(describing: value), String(reflecting: value), dumped] + mirrored(value, depth: 12)
    }

    /// What reflection reaches, each part described on its own.
    private static func mirrored(_ value: Any, depth: Int) -> [String] {
        guard depth > 0 else { return [] }
        let mirror = Mirror(reflecting: value)
        return mirror.children.flatMap { child in
            ["\(child.value)", String(reflecting: child.value), child.label ?? ""]
                + mirrored(child.value, depth: depth - 1)
        }
    }
}
