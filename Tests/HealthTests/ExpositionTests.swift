import Projector
import Testing

@testable import Health

@Suite struct ExpositionTests {
    @Test func `values are written as Prometheus reads them`() {
        var exposition = Exposition()
        exposition.add(.waiting, ["stream": "a\"b\\c\nd"], 5)
        exposition.add(.up, ["server": "redis"], 1)
        exposition.add(.waiting, ["stream": "b"], 0.5)
        #expect(
            exposition.text == """
                # HELP millrace_up 1 where the servers have answered for this scrape, by server.
                # TYPE millrace_up gauge
                millrace_up{server="redis"} 1
                # HELP millrace_list_length Events that wait in the lists of a stream.
                # TYPE millrace_list_length gauge
                millrace_list_length{stream="a\\"b\\\\c\\nd"} 5
                millrace_list_length{stream="b"} 0.5

                """)
    }

    @Test func `a histogram's buckets count up to their bounds`() {
        var histogram = Histogram([1, 2.5])
        for value in [0.5, 1, 2, 3, 4] { histogram.record(value) }
        var exposition = Exposition()
        exposition.add(.eventDelay, [("model", "m")], histogram)
        let lines = exposition.text.split(separator: "\n").dropFirst(2)
        #expect(
            lines == [
                "millrace_event_delay_seconds_bucket{model=\"m\",le=\"1\"} 2", "millrace_event_delay_seconds_bucket{model=\"m\",le=\"2.5\"} 3",
                "millrace_event_delay_seconds_bucket{model=\"m\",le=\"+Inf\"} 5", "millrace_event_delay_seconds_sum{model=\"m\"} 10.5",
                "millrace_event_delay_seconds_count{model=\"m\"} 5",
            ])
    }

    @Test func `batches are counted by model and stage`() {
        let metrics = BatchMetrics()
        for events in [5, 700] {
            metrics.record(AppliedBatch(model: "m", events: events, load: .seconds(1), fold: .seconds(2), write: .seconds(3), lastTime: nil))
        }
        var exposition = Exposition()
        metrics.add(to: &exposition)
        let lines = exposition.text.split(separator: "\n")
        for line in [
            "millrace_batch_events_bucket{model=\"m\",le=\"10\"} 1", "millrace_batch_events_sum{model=\"m\"} 705",
            "millrace_batch_duration_seconds_sum{model=\"m\"} 12", "millrace_batch_stage_seconds_total{model=\"m\",stage=\"write\"} 6",
            "millrace_event_delay_seconds_count{model=\"m\"} 0",
        ] {
            #expect(lines.contains(line[...]), "\(line)")
        }
    }

    @Test func `names are Prometheus's way`() {
        for metric in Metric.allCases {
            // Of HTTP, by OpenTelemetry's names.
            #expect((metric.rawValue.hasPrefix("millrace_") || metric.rawValue.hasPrefix("http_server_")) && metric.rawValue.wholeMatch(of: /[a-z_]+/) != nil)
            #expect(metric.rawValue.hasSuffix("_total") == (metric.kind == .counter), "\(metric.rawValue)")
            #expect(metric.help.hasSuffix("."))
        }
    }
}
