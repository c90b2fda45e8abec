import CPostgres

/// Takes the place of libpq's printing of notices to stderr.
final class NoticeReceiver {
    private let observer: (@Sendable (PostgresNotice) -> Void)?
    /// What the server said when it ended the session while nothing was being asked of it.
    private(set) var farewell: SQLState?

    init(observer: (@Sendable (PostgresNotice) -> Void)?) {
        self.observer = observer
    }

    /// The receiver must outlive the connection.
    func install(on handle: OpaquePointer) {
        PQsetNoticeReceiver(
            handle,
            { context, result in
                guard let context, let result else { return }
                Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue().receive(result)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private func receive(_ result: OpaquePointer) {
        let severity = ResultReader.field(result, .severity) ?? ""
        let state = ResultReader.field(result, .sqlState).flatMap { SQLState($0) }
        if PostgresError.Severity(rawValue: severity) != nil { farewell = state }
        observer?(PostgresNotice(severity: severity, sqlState: state))
    }
}
