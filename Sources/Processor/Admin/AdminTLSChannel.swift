import HummingbirdCore
import Logging
import NIOCore
import NIOSSL

/// A connection to the admin server over TLS, with the certificate that there is when it begins.
struct AdminTLSChannel: ServerChildChannel {
    let base: HTTP1Channel
    let certificate: AdminCertificate

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            let handler = NIOSSLServerHandler(context: try certificate.context())
            try channel.pipeline.syncOperations.addHandler(handler)
        }.flatMap { [base] in
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
