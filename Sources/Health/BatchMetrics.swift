import Foundation
import Projector
import Synchronization

/// What the batches of this process took, by model, and the steps of its ingest, by stream.
public final class BatchMetrics: BatchMeter, IngestMeter {
    private struct Sums {
        var events = Histogram([1, 10, 100, 500, 1000, 2000, 5000, 10_000, 20_000])
        var duration = Histogram([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
        var delay = Histogram([0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600])
        var load = 0.0
        var fold = 0.0
        var write = 0.0
    }

    private let models = Mutex<[String: Sums]>([:])
    private let stages = Mutex<[String: [IngestStage: Histogram]]>([:])

    public init() {}

    public func record(_ batch: AppliedBatch) {
        let now = Date().timeIntervalSince1970
        models.withLock { models in
            models[batch.model, default: Sums()].events.record(Double(batch.events))
            models[batch.model]?.duration.record((batch.load + batch.fold + batch.write) / .seconds(1))
            models[batch.model]?.load += batch.load / .seconds(1)
            models[batch.model]?.fold += batch.fold / .seconds(1)
            models[batch.model]?.write += batch.write / .seconds(1)
            // Where a producer's clock is ahead of this one's, there was no delay.
            if let time = batch.lastTime { models[batch.model]?.delay.record(max(0, now - Double(time) / 1000)) }
        }
    }

    public func record(_ stage: IngestStage, of stream: String, _ time: Duration) {
        stages.withLock {
            $0[stream, default: [:]][stage, default: Histogram([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5])].record(time / .seconds(1))
        }
    }

    public func add(to exposition: inout Exposition) {
        for (model, sums) in models.withLock(\.self).sorted(by: { $0.key < $1.key }) {
            exposition.add(.batchEvents, [("model", model)], sums.events)
            exposition.add(.batchDuration, [("model", model)], sums.duration)
            for (stage, seconds) in [("load", sums.load), ("fold", sums.fold), ("write", sums.write)] {
                exposition.add(.batchStages, ["model": model, "stage": stage], seconds)
            }
            exposition.add(.eventDelay, [("model", model)], sums.delay)
        }
        for (stream, found) in stages.withLock(\.self).sorted(by: { $0.key < $1.key }) {
            for stage in IngestStage.allCases {
                if let histogram = found[stage] { exposition.add(.ingestStages, [("stream", stream), ("stage", stage.rawValue)], histogram) }
            }
        }
    }
}
