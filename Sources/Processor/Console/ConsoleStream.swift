import Core
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

/// Server-sent events: a part of a page, again whenever it is another one.
struct ConsoleStream: Sendable {
    /// The part as it is now, and whether nothing of it will change any more.
    let part: @Sendable () async throws -> (html: String, isLast: Bool)

    static let period = Duration.seconds(2)
    /// Then the browser connects again, by itself.
    static let life = Duration.seconds(600)
    /// So often nothing has changed before a word is sent that lets both sides notice a broken connection.
    private static let silences = 5

    /// One event: a line of text for each line of the part.
    static func event(_ name: String, _ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true).map { "data: \($0)\n" }
        return "event: \(name)\n\(lines.isEmpty ? "data:\n" : lines.joined())\n"
    }

    /// - Parameters:
    ///   - place: given back at the end.
    ///   - isWatched: whether the person is still signed in.
    func response(_ place: StreamPlaces.Place, isWatched: @escaping @Sendable () -> Bool) -> Response {
        var response = Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8"],
            body: ResponseBody { writer in
                try await send(to: &writer, isWatched)
                place.leave()
                try await writer.finish(nil)
            }
        )
        ConsoleHeaders.add(to: &response.headers)
        return response
    }

    private func send(
        to writer: inout any ResponseBodyWriter,
        _ isWatched: @Sendable () -> Bool
    ) async throws {
        let end = ContinuousClock.now + Self.life
        var sent: String?
        var silences = 0
        while isWatched(), ContinuousClock.now < end, !Task.isShuttingDownGracefully {
            // What cannot be had just now may be in a moment.
            if let (html, isLast) = try? await part() {
                if html != sent {
                    try await writer.write(ByteBuffer(string: Self.event("page", html)))
                    (sent, silences) = (html, 0)
                }
                if isLast { return try await writer.write(ByteBuffer(string: Self.event("end", ""))) }
            }
            silences += 1
            if silences >= Self.silences {
                try await writer.write(ByteBuffer(string: ":\n\n"))
                silences = 0
            }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.period) }
            try Task.checkCancellation()
        }
    }
}

/// How many pages are kept up to date at a time: each has a connection.
final class StreamPlaces: Sendable {
    private let taken = Mutex(0)
    private let most: Int

    init(most: Int = 64) {
        self.most = most
    }

    /// Given back once, at the latest when nobody has it any more.
    final class Place: Sendable {
        private let places: StreamPlaces
        private let isTaken = Mutex(true)

        fileprivate init(_ places: StreamPlaces) {
            self.places = places
        }

        func leave() {
            let wasTaken = isTaken.withLock { isTaken in
                defer { isTaken = false }
                return isTaken
            }
            if wasTaken { places.taken.withLock { $0 -= 1 } }
        }

        deinit { leave() }
    }

    func enter() -> Place? {
        let isFree = taken.withLock { taken in
            guard taken < most else { return false }
            taken += 1
            return true
        }
        return isFree ? Place(self) : nil
    }
}
