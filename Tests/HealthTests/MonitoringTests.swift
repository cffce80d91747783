import Foundation
import Testing

@testable import Health

/// What is shipped for Prometheus and Grafana.
@Suite struct MonitoringTests {
    private static let names = Set(
        Metric.allCases.flatMap { metric in
            metric.kind == .histogram ? ["_bucket", "_sum", "_count"].map { metric.rawValue + $0 } : [metric.rawValue]
        })

    private static func text(_ file: String) throws -> String {
        let root = (0..<3).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        return try String(contentsOf: root.appending(path: "config/monitoring/\(file)"), encoding: .utf8)
    }

    private static func used(in text: String) -> Set<String> { Set(text.matches(of: /(?:millrace|http_server)_[a-z_]+/).map { String($0.output) }) }

    @Test(arguments: ["alerts.yml", "dashboard.json"]) func `names that are used exist`(file: String) throws {
        let used = try Self.used(in: Self.text(file))
        #expect(used.count > 8)
        #expect(used.subtracting(Self.names).isEmpty, "\(used.subtracting(Self.names).sorted())")
    }

    @Test func `the dashboard is JSON with a query in every panel`() throws {
        let dashboard = try JSONSerialization.jsonObject(with: Data(try Self.text("dashboard.json").utf8)) as? [String: Any]
        let panels = try #require(dashboard?["panels"] as? [[String: Any]])
        #expect(panels.count > 10)
        for panel in panels {
            let targets = panel["targets"] as? [[String: Any]] ?? []
            #expect(targets.allSatisfy { !Self.used(in: $0["expr"] as? String ?? "").isEmpty } && !targets.isEmpty)
        }
    }

    /// Whoever reads this list of documented metrics finds all of them, and no others.
    @Test func `the documentation names every metric`() throws {
        let root = (0..<3).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let text = try String(contentsOf: root.appending(path: "docs/metrics.md"), encoding: .utf8)
        #expect(Self.used(in: text) == Set(Metric.allCases.map(\.rawValue)))
    }
}
