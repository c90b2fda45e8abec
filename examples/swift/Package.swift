// swift-tools-version: 6.2

import PackageDescription

// A client as a service has it: in a package of its own.
let package = Package(
    name: "payment-example",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "payment-processor", path: "../..")],
    targets: [
        .executableTarget(
            name: "PaymentExample",
            dependencies: [.product(name: "PaymentCommands", package: "payment-processor")]
        )
    ]
)
