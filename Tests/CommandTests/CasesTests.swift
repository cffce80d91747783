import Fixtures
import Foundation
import Testing
import Values

/// `millrace test`.
@Suite struct CasesTests {
    private static let noServers = ["MILLRACE_REDIS_URL": "redis://127.0.0.1:1", "MILLRACE_MONGODB_URL": "mongodb://127.0.0.1:1/?replicaSet=rs0"]

    private static func cases(_ stock: Int) -> String {
        """
        version: 1
        model: product
        cases:
          - name: stock adds up   # as it should
            given:
              documents: { a: { stock: 2 } }
              events: [ { eventType: stockAdjusted, key: a, data: { delta: 3 } } ]
            expect: { documents: { a: { stock: \(stock) } } }

        """
    }

    @Test func `good cases are good, without servers`() async throws {
        try await Installation.run(["config/tests/product.yaml": Self.cases(5)]) { installation in
            let ended = try await installation.millrace("test", environment: Self.noServers)
            #expect(ended.code == 0 && ended.errors == "", "\(ended.errors)")
            #expect(ended.output.hasPrefix("1 cases, 1 good, 0 failed in "), "\(ended.output)")
        }
    }

    @Test func `a failure is told with its place, and written for build servers`() async throws {
        try await Installation.run(["config/tests/product.yaml": Self.cases(6)]) { installation in
            let ended = try await installation.millrace("test", "--junit", "report.xml", environment: Self.noServers)
            #expect(ended.code == 1)
            let lines = [
                "config/tests/product.yaml:4: stock adds up", "  something else comes out than is expected", "    a stock: expected 6, found 5", "",
            ]
            #expect(ended.output.hasPrefix(lines.joined(separator: "\n") + "\n1 cases, 0 good, 1 failed in "), "\(ended.output)")
            let report = try String(contentsOf: installation.directory.appending(path: "report.xml"), encoding: .utf8)
            #expect(report.contains("a stock: expected 6, found 5"))
            let document = try await installation.json("test", code: 1)
            #expect(document["failed"] == 1)
            let first = document["cases"]?.asArray?.first?.asDocument
            #expect(first?["name"] == "stock adds up" && first?["line"] == 4 && first?["good"] == false, "\(document)")
        }
    }

    @Test func `update writes what comes out, and keeps the rest`() async throws {
        try await Installation.run(["config/tests/product.yaml": Self.cases(6)]) { installation in
            let ended = try await installation.millrace("test", "--update", "config/tests/product.yaml", environment: Self.noServers)
            #expect(ended.code == 0, "\(ended.output) \(ended.errors)")
            #expect(ended.errors == "millrace: config/tests/product.yaml: 1 expectations written\n")
            let file = installation.directory.appending(path: "config/tests/product.yaml")
            #expect(try String(contentsOf: file, encoding: .utf8) == Self.cases(5))
        }
    }

    @Test func `cases that cannot be read are refused, by test and by check`() async throws {
        let bad = "version: 1\nmodel: prodct\ncases: [ { name: a, given: { events: [ a ] }, exspect: {} } ]\n"
        try await Installation.run(["config/tests/product.yaml": bad]) { installation in
            for command in ["test", "check"] {
                let ended = try await installation.millrace(command, environment: Self.noServers)
                #expect(ended.code == 78 && ended.output == "")
                #expect(ended.errors.contains("config/tests/product.yaml:2:8: unknown model \"prodct\" — did you mean \"product\"?"), "\(ended.errors)")
                #expect(ended.errors.contains("config/tests/product.yaml:3:47: unknown key \"exspect\" — did you mean \"expect\"?"), "\(ended.errors)")
            }
            let other = try await installation.millrace("test", "nowhere.yaml", environment: Self.noServers)
            #expect(other.code == 78 && other.errors.contains("nowhere.yaml: there is no such file"), "\(other.errors)")
        }
    }

    @Test func `no cases prove nothing`() async throws {
        try await Installation.run { installation in
            let ended = try await installation.millrace("test", environment: Self.noServers)
            #expect(ended.code == 1 && ended.errors == "millrace: there are no cases in config/tests\n")
        }
    }
}
