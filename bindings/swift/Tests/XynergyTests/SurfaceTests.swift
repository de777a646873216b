import Foundation
import XCTest

@testable import Xynergy

/// This package has exactly what every language has.
final class SurfaceTests: XCTestCase {
    private struct Surface: Decodable {
        struct Described: Decodable {
            let params: [String]
            let required: [String]
            let answer: String
        }
        let methods: [String: Described]
        let kinds: [String]
        let hosts: [String: [String]]
        let types: [String: [String]]
    }

    private func surface() throws -> Surface {
        let folder = ProcessInfo.processInfo.environment["XYNERGY_VECTORS"].map { URL(fileURLWithPath: $0) }
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let vectors = folder ?? here.appendingPathComponent("../../../../tests/vectors").standardized
        return try JSONDecoder().decode(Surface.self, from: Data(contentsOf: vectors.appendingPathComponent("surface.json")))
    }

    func testMethods() throws {
        let surface = try surface()
        let client = try Client(.json(["version": 1]))
        let here = methods(of: client)
        XCTAssertEqual(Set(here.map(\.name)), Set(surface.methods.keys))
        for method in here {
            XCTAssertEqual(method.params, surface.methods[method.name]?.params, method.name)
        }
    }

    func testKindsHostsAndTypes() throws {
        let surface = try surface()
        XCTAssertEqual(ErrorKind.known.map(\.rawValue), surface.kinds)
        XCTAssertEqual(methodsOfHosts, surface.hosts)
        for (name, fields) in surface.types {
            XCTAssertEqual(fieldsOfTypes[name]?.sorted(), fields, name)
        }
        XCTAssertEqual(Set(fieldsOfTypes.keys), Set(surface.types.keys))
    }
}
