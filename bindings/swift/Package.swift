// swift-tools-version:5.9
import PackageDescription

// Where the native library is: `XYNERGY_LIB` for work on this repository, an installed `xynergy.pc` for everybody else. See README.md.
let folder = Context.environment["XYNERGY_LIB"]
let linking: [LinkerSetting] =
    folder.map { [.unsafeFlags(["-L\($0)", "-Xlinker", "-rpath", "-Xlinker", $0])] } ?? []

let package = Package(
    name: "xynergy",
    platforms: [.macOS(.v12), .iOS(.v15), .tvOS(.v15), .watchOS(.v8)],
    products: [
        .library(name: "Xynergy", targets: ["Xynergy"]),
        .library(name: "XynergyTesting", targets: ["XynergyTesting"]),
    ],
    targets: [
        .systemLibrary(
            name: "xynergy_ffiFFI", path: "Sources/xynergy_ffiFFI/include", pkgConfig: folder == nil ? "xynergy" : nil),
        .target(name: "XynergyNative", dependencies: ["xynergy_ffiFFI"], linkerSettings: linking),
        .target(name: "Xynergy", dependencies: ["XynergyNative"]),
        .target(name: "XynergyTesting", dependencies: ["Xynergy", "XynergyNative"]),
        .testTarget(name: "XynergyTests", dependencies: ["Xynergy", "XynergyTesting", "XynergyNative"]),
    ]
)
