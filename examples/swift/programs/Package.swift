// swift-tools-version:5.9
import PackageDescription

// The package by its path; a user outside of this repository names its own.
let xynergy = Context.environment["XYNERGY_PACKAGE"] ?? "../../../bindings/swift"

let package = Package(
    name: "examples",
    platforms: [.macOS(.v12)],
    dependencies: [.package(name: "xynergy", path: xynergy)],
    targets: [
        .executableTarget(name: "ask", dependencies: [.product(name: "Xynergy", package: "xynergy")]),
        .executableTarget(name: "closed_loop",
            dependencies: [.product(name: "Xynergy", package: "xynergy"), .product(name: "XynergyTesting", package: "xynergy")]),
    ]
)
