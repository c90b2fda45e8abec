import ConsolePages
import HTTPTypes
import Hummingbird

/// Style, script and icon, out of the binary.
struct AssetRoutes: Sendable {
    func add(to router: Router<AdminContext>) {
        router.get("console/assets/style.css") { _, _ in
            Response(type: "text/css; charset=utf-8", bytes: ConsolePages.style)
        }
        router.get("console/assets/script.js") { _, _ in
            Response(type: "text/javascript; charset=utf-8", bytes: ConsolePages.script)
        }
        router.get("console/assets/icon.svg") { _, _ in Response(type: "image/svg+xml", bytes: ConsolePages.icon) }
    }
}
