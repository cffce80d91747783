/// Metrics in Prometheus' text format, version 0.0.4.
public struct Exposition: Sendable {
    /// The value of a metric's `Content-Type`.
    static let type = "text/plain; version=0.0.4; charset=utf-8"

    private var lines: [Metric: [String]] = [:]

    public init() {}

    /// One value. Labels are in the order in which they are given.
    public mutating func add(_ metric: Metric, _ labels: KeyValuePairs<String, String>, _ value: Double) {
        lines[metric, default: []].append("\(metric.rawValue)\(Self.text(labels.map { ($0.key, $0.value) })) \(Self.text(value))")
    }

    /// A metric that is a histogram.
    public mutating func add(_ metric: Metric, _ labels: [(String, String)], _ histogram: Histogram) {
        var count = 0
        for (bound, bucket) in zip(histogram.bounds.map(Self.text) + ["+Inf"], histogram.buckets) {
            count += bucket
            lines[metric, default: []].append("\(metric.rawValue)_bucket\(Self.text(labels + [("le", bound)])) \(count)")
        }
        lines[metric, default: []].append("\(metric.rawValue)_sum\(Self.text(labels)) \(Self.text(histogram.sum))")
        lines[metric, default: []].append("\(metric.rawValue)_count\(Self.text(labels)) \(count)")
    }

    /// All of it. A metric without a value is left out.
    public var text: String {
        Metric.allCases.compactMap { metric in
            lines[metric].map { "# HELP \(metric.rawValue) \(metric.help)\n# TYPE \(metric.rawValue) \(metric.kind.rawValue)\n\($0.joined(separator: "\n"))\n" }
        }.joined()
    }

    private static func text(_ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{\(labels.map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ","))}"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// Whole numbers without a point, as counters are read.
    private static func text(_ value: Double) -> String { Int64(exactly: value).map(String.init) ?? "\(value)" }
}

/// Counts of values by size.
public struct Histogram: Sendable {
    /// Upper bounds, the smallest first.
    let bounds: [Double]
    /// One for each bound, and one for what is above them.
    private(set) var buckets: [Int]
    private(set) var sum = 0.0

    public init(_ bounds: [Double]) {
        self.bounds = bounds
        buckets = Array(repeating: 0, count: bounds.count + 1)
    }

    public mutating func record(_ value: Double) {
        buckets[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}
