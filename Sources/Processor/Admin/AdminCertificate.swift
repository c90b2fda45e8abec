import ConfigurationReading
import Glibc
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// What is wrong with the files of a certificate, and at which setting.
struct AdminCertificateProblem: Error, CustomStringConvertible {
    let setting: SettingDescriptor
    let description: String
}

extension AdminTLS {
    /// Reads both files.
    func context() throws(AdminCertificateProblem) -> NIOSSLContext {
        let certificates = try Self.reading(Settings.table.adminCertFile, "holds no certificate in PEM") {
            try NIOSSLCertificate.fromPEMFile(certFile)
        }
        guard !certificates.isEmpty else {
            throw AdminCertificateProblem(
                setting: Settings.table.adminCertFile.descriptor,
                description: "holds no certificate in PEM"
            )
        }
        let key = try Self.reading(Settings.table.adminKeyFile, "holds no unencrypted private key in PEM") {
            try NIOSSLPrivateKey(file: keyFile, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        return try Self.reading(Settings.table.adminKeyFile, "is not the key of the certificate in admin.cert-file") {
            try NIOSSLContext(configuration: configuration)
        }
    }

    private static func reading<Value>(
        _ setting: Setting<String?>,
        _ problem: String,
        _ work: () throws -> Value
    ) throws(AdminCertificateProblem) -> Value {
        do {
            return try work()
        } catch {
            throw AdminCertificateProblem(setting: setting.descriptor, description: problem)
        }
    }
}

/// The certificate that the admin server shows. Files that were renewed count from the next connection on; while they cannot be
/// used, the one before stays.
final class AdminCertificate: Sendable {
    private let tls: AdminTLS
    private let logger: Logger
    private let current = Mutex<(stamp: [FileStamp?], context: NIOSSLContext?)>(([], nil))

    init(_ tls: AdminTLS, logger: Logger) {
        self.tls = tls
        self.logger = logger
    }

    /// - Throws: where there is none that can be used, nor was before.
    func context() throws(AdminCertificateProblem) -> NIOSSLContext {
        let stamp = [FileStamp(tls.certFile), FileStamp(tls.keyFile)]
        return try current.withLock { current throws(AdminCertificateProblem) in
            if let context = current.context, current.stamp == stamp { return context }
            do throws(AdminCertificateProblem) {
                let context = try tls.context()
                if current.context != nil { logger.notice("the admin server has a renewed certificate") }
                current = (stamp, context)
                return context
            } catch {
                guard let context = current.context else { throw error }
                // Said once for each change of the files.
                current.stamp = stamp
                logger.error(
                    "the admin server's renewed certificate cannot be used, the one before stays",
                    metadata: [LogKey.error.rawValue: "\(error.setting.title): \(error)"]
                )
                return context
            }
        }
    }
}

/// By what it shows that a file is another one, or has other contents.
private struct FileStamp: Equatable {
    let device: UInt
    let inode: UInt
    let size: Int
    let seconds: Int
    let nanoseconds: Int

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}

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
