import HTTPTypes
import Hummingbird

/// Tells a path that is there from one that is not, where the method is another one.
struct AllowedMethods: Sendable {
    private let routes: [(path: [Substring], method: HTTPRequest.Method)]

    init(_ router: Router<AdminContext>) {
        routes = router.routes.map { (Self.segments($0.path.description), $0.method) }
    }

    /// - Returns: sorted by name; empty where there is no such path.
    func methods(of path: String) -> [String] {
        let segments = Self.segments(path)
        let found = routes.filter { route in
            route.path.count == segments.count
                && zip(route.path, segments).allSatisfy { $0 == $1 || $0.first == "{" || $0.first == ":" }
        }
        var methods = Set(found.map(\.method.rawValue))
        // The router answers it wherever it answers GET.
        if methods.contains(HTTPRequest.Method.get.rawValue) { methods.insert(HTTPRequest.Method.head.rawValue) }
        return methods.sorted()
    }

    private static func segments(_ path: String) -> [Substring] { path.split(separator: "/") }
}
