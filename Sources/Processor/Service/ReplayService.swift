import Core
import Logging
import ServiceLifecycle

/// Runs replays in the background, until the service shuts down; what is under way then another processor takes up.
struct ReplayService: Sendable {
    let runner: ReplayRunner
    let logger: Logger

    func run() async {
        let stop = StopFlag()
        await withGracefulShutdownHandler {
            await runner.runAll(
                until: stop,
                onStart: { logger.notice("replaying dead letters", metadata: $0.metadata) },
                onEnd: { logger.notice("replay of dead letters ended", metadata: $0.metadata) }
            )
        } onGracefulShutdown: {
            stop.set()
        }
    }
}

extension ReplayRun {
    fileprivate var metadata: Logger.Metadata {
        [
            "replay": "\(id)", "state": "\(state.rawValue)", "selected": "\(counts.selected)",
            "replayed": "\(counts.replayed)", "skipped": "\(counts.skipped)", "failed": "\(counts.failed)",
            "by": "\(order.requestedBy)",
        ]
    }
}
