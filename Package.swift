// swift-tools-version: 6.2

import PackageDescription

/// One set of rules for every target: Swift 6 language mode (the default of these tools), explicit `any`, imports that
/// are internal unless said otherwise, and no warning left standing.
let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    // What one module calls in another is specialized and inlined as within one.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

/// Swift's own libraries within the program: no indirection at each call of them, and no runtime to install beside it. Those behind
/// Foundation, which Mustache imports, are not found by themselves.
///
/// Debug programs only where scripts/package asks for it, to try a package without a release build.
let linkerSettings: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-static-stdlib", "-lFoundation", "-lCoreFoundation", "-lFoundationInternationalization",
            "-lFoundationEssentials", "-l_FoundationICU", "-l_FoundationCollections", "-l_FoundationCShims",
            "-lswiftSynchronization",
        ],
        .when(platforms: [.linux], configuration: Context.environment["STATIC_DEBUG"] == nil ? .release : .debug)
    )
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "payment-processor",
    platforms: [.macOS(.v15)],
    products: [
        // For upstream services.
        .library(name: "PaymentCommands", targets: ["PaymentCommands"]),
        .executable(name: "processor", targets: ["Processor"]),
        .executable(name: "publisher", targets: ["Publisher"]),
        .executable(name: "bank-simulator", targets: ["BankSimulator"]),
        .executable(name: "simulate", targets: ["Simulate"]),
        .executable(name: "bench-load", targets: ["BenchLoad"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.0.2", traits: []),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.9.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.20.0", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.0.0"),
        // Reads the documents of the contract, which the console shows.
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        // The C libraries: a module map and a shim header each, nothing else.
        .systemLibrary(name: "CRabbitMQ", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),

        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),

        // Says which certificate is wrong and why, where the libraries of the drivers do not.
        .target(name: "TLSProbe", dependencies: ["COpenSSL"], swiftSettings: swiftSettings),

        // The drivers: each knows its C library and nothing of payments.
        .target(name: "ThreadExecutor", swiftSettings: swiftSettings),
        .target(name: "AMQP", dependencies: ["CRabbitMQ", "ThreadExecutor", "TLSProbe"], swiftSettings: swiftSettings),
        .target(
            name: "Postgres",
            dependencies: ["CPostgres", "ThreadExecutor", "TLSProbe"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HTTPClient",
            dependencies: ["CCurl", "StackWipe", "ThreadExecutor"],
            swiftSettings: swiftSettings
        ),

        // Holds duplicates of a process's connections in another one; knows nothing of what goes over them.
        .target(name: "ConnectionKeeper", swiftSettings: swiftSettings),

        // Card data leaves memory when it is done with: the stack below a call, and all that is freed.
        .target(name: "StackWipe"),
        .target(name: "WipingHeap"),

        // What decides: no I/O, no driver, no clock and no randomness of its own.
        .target(name: "Core", dependencies: ["StackWipe", crypto, cryptoExtras], swiftSettings: swiftSettings),

        // Seals cards and makes keys: what Core cannot, for it draws random numbers.
        .target(name: "CardSealing", dependencies: ["Core", crypto, cryptoExtras], swiftSettings: swiftSettings),

        // What every program has: a version, standard streams, an end.
        .target(name: "Program", dependencies: [argumentParser], swiftSettings: swiftSettings),

        // What settings are written in: durations, addresses, and the file .env.
        .target(name: "ConfigurationText", swiftSettings: swiftSettings),

        // How a program reads its table of settings from its sources.
        .target(
            name: "ConfigurationReading",
            dependencies: ["ConfigurationText", configuration],
            swiftSettings: swiftSettings
        ),

        // Core's messages in the words of AMQP.
        .target(name: "BrokerMapping", dependencies: ["AMQP", "Core"], swiftSettings: swiftSettings),

        // What upstream services send commands with, the publisher among them.
        .target(
            name: "PaymentCommands",
            dependencies: [
                "AMQP", "BrokerMapping", "CardSealing", "ConfigurationText", "Core", "HTTPClient", crypto,
            ],
            swiftSettings: swiftSettings
        ),

        // The processor in a made-up world: store, broker and bank in memory, virtual time, faults, and who judges it all.
        .target(name: "Simulation", dependencies: ["Core"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "Simulate",
            dependencies: ["Core", "Program", "Simulation", argumentParser],
            swiftSettings: swiftSettings
        ),

        // The schema, compiled in, so that the binaries work from any directory.
        .target(
            name: "Migrations",
            path: "migrations",
            resources: [
                .embedInCode("0001_payments.sql"), .embedInCode("0002_dead_letters.sql"),
                .embedInCode("0003_sweeps.sql"),
                .embedInCode("0004_ambiguous_sends.sql"),
                .embedInCode("0005_told.sql"),
                .embedInCode("0006_room_for_updates.sql"),
                .embedInCode("0007_waiting_commands.sql"),
                .embedInCode("0008_unmatched_authorizations.sql"),
                .embedInCode("0009_events_due.sql"),
                .embedInCode("0010_reply_routes.sql"),
                .embedInCode("0011_new_operations.sql"),
                .embedInCode("0012_collected_operations.sql"),
                .embedInCode("0013_failed_fence.sql"),
                .embedInCode("0014_reduced_cards.sql"),
                .embedInCode("0015_dead_letter_replays.sql"),
                .embedInCode("0016_payments_by_time.sql"),
                .embedInCode("0017_dead_letters_by_message.sql"),
                .embedInCode("0018_operation_attempts.sql"),
                .embedInCode("0019_members.sql"),
                .embedInCode("0020_sealed_cards.sql"),
                .embedInCode("0021_fingerprint_secrets.sql"),
                .embedInCode("0022_awaited_replies.sql"),
                .embedInCode("0023_message_ids.sql"),
                .embedInCode("0024_operations_by_message.sql"),
                .embedInCode("0025_command_minutes.sql"),
                .embedInCode("0026_standard_names.sql"),
            ],
            swiftSettings: swiftSettings
        ),

        // What the console's pages are made of, compiled in for the same reason. The runbooks and the contract are links to those of docs.
        .target(
            name: "ConsolePages",
            resources: [.embedInCode("Assets"), .embedInCode("Guides"), .embedInCode("Templates")],
            swiftSettings: swiftSettings
        ),

        .executableTarget(
            name: "Processor",
            dependencies: [
                "AMQP", "BrokerMapping", "CardSealing", "ConfigurationReading", "ConfigurationText",
                "ConnectionKeeper", "ConsolePages", "Core",
                "HTTPClient", "Migrations", "Postgres", "Program", "ThreadExecutor", "TLSProbe", "WipingHeap",
                argumentParser, coreMetrics, crypto, httpTypes, hummingbird, hummingbirdCore, logging,
                mustache, nioCore, nioPosix, nioSSL, serviceLifecycle, unixSignals, yams,
            ],
            swiftSettings: swiftSettings,
            linkerSettings: linkerSettings
        ),
        .executableTarget(
            name: "Publisher",
            dependencies: [
                "AMQP", "BrokerMapping", "ConfigurationReading", "ConfigurationText", "Core", "PaymentCommands",
                "Program",
                argumentParser, crypto,
            ],
            swiftSettings: swiftSettings,
            linkerSettings: linkerSettings
        ),
        .executableTarget(
            name: "BankSimulator",
            dependencies: ["Program", argumentParser, hummingbirdCore, logging, nioCore, nioHTTP1, nioPosix],
            swiftSettings: swiftSettings,
            linkerSettings: linkerSettings
        ),

        // examples/swift: a client of PaymentCommands as it is in another package, so only with what is public.
        .executableTarget(
            name: "PaymentExample",
            dependencies: ["PaymentCommands"],
            path: "examples/swift/Sources/PaymentExample",
            packageAccess: false,
            swiftSettings: swiftSettings
        ),

        // The load of scripts/bench.
        .executableTarget(
            name: "BenchLoad",
            dependencies: ["AMQP", "BrokerMapping", "CardSealing", "Core", "Program", argumentParser],
            swiftSettings: swiftSettings
        ),

        .target(
            name: "TestSupport",
            path: "Tests/TestSupport",
            exclude: ["tls-proxy.py"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "StoreContract",
            dependencies: ["CardSealing", "Core"],
            path: "Tests/StoreContract",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ConfigurationTextTests",
            dependencies: ["ConfigurationText"],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "ThreadExecutorTests", dependencies: ["ThreadExecutor"], swiftSettings: swiftSettings),
        .testTarget(
            name: "AMQPTests",
            dependencies: ["AMQP", "CRabbitMQ", "TestSupport", "ThreadExecutor"],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres"], swiftSettings: swiftSettings),
        .testTarget(name: "HTTPClientTests", dependencies: ["CCurl", "HTTPClient"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "KeeperProbe",
            dependencies: ["ConnectionKeeper", "HTTPClient"],
            path: "Tests/KeeperProbe",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ConnectionKeeperTests",
            dependencies: ["ConnectionKeeper", "HTTPClient", "KeeperProbe", "TestSupport"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "CoreTests",
            dependencies: ["CardSealing", "Core", "Simulation", "StoreContract", "TestSupport", crypto, cryptoExtras],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BrokerContract",
            dependencies: ["Core"],
            path: "Tests/BrokerContract",
            swiftSettings: swiftSettings
        ),
        .target(name: "BankContract", dependencies: ["Core"], path: "Tests/BankContract", swiftSettings: swiftSettings),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["BankContract", "BrokerContract", "Core", "Simulation"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ProcessorTests",
            dependencies: [
                "AMQP", "BrokerContract", "BrokerMapping", "CardSealing", "ConfigurationReading", "ConfigurationText",
                "ConsolePages", "Core",
                "HTTPClient", "Migrations", "Postgres", "Processor", "Simulation", "StoreContract", "TestSupport",
                "Program", "WipingHeap",
                argumentParser, coreMetrics, httpTypes, hummingbird, logging, serviceLifecycle, yams,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "PublisherTests",
            dependencies: [
                "AMQP", "BrokerMapping", "CardSealing", "ConfigurationReading", "ConfigurationText", "Core",
                "PaymentCommands", "Program",
                "Publisher", "TestSupport",
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BankSimulatorTests",
            dependencies: ["BankSimulator", "HTTPClient", argumentParser, logging, nioCore],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "AMQP", "BankContract", "BrokerMapping", "CardSealing", "Core", "HTTPClient", "Postgres", "Processor",
                "TestSupport",
            ],
            swiftSettings: swiftSettings
        ),
    ]
)
