import Hummingbird

/// What is wrong now, and how everything goes.
struct OverviewRoutes: Sendable {
    let console: Console

    func add(to router: Router<AdminContext>) {
        console.get("console", on: router) { _, _ in
            .page(
                ConsolePage(title: "Overview", section: .overview, template: "overview", content: await content())
            )
        }
        console.get("console/events", on: router) { _, _ in
            .stream(ConsoleStream { (console.renderer.fragment("overview-live", await content()), false) })
        }
    }

    private func content() async -> OverviewContent {
        OverviewContent(await console.overview.snapshot(), console.parts)
    }
}
