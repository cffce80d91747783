import Events
import Fixtures
import Foundation
import MongoStore
import Testing
import Values

/// One round: a place of its own, two workers, a producer that keeps pushing, one fault after the other or two at once,
/// and then the question what became of the events.
struct Round {
    /// Batches stay small, so that faults fall between many of them.
    static let stream = Place.Stream(settings: ["chunk: { events: 200 }", "maxEventBytes: 256KiB"])
    static let maxEventBytes = 256 << 10
    /// Events that flow before anything happens.
    private static let lead = 300
    /// From the end of the last fault until everything is applied.
    private static let patience = Duration.seconds(90)

    /// What strikes at once, one after the other.
    let steps: [[Fault]]
    let number: Int
    let seed: Seed

    static func name(_ faults: [Fault]) -> String { faults.map(\.name).joined(separator: " + ") }

    var name: String { steps.map(Self.name).joined(separator: ", ") }

    /// What a step has shown, besides the events.
    private struct Outcome {
        var seconds: Double
        var stall: Double
        var detail: String
    }

    func play(on stage: Stage, _ tally: FaultTally) async throws {
        var outcomes: [Outcome] = []
        do {
            try await Place.with([Self.stream], on: stage.servers, lease: "\(Int(Scene.lease.seconds))s") { place in
                let scene = Scene(stage, place, try place.journal(), round: number, seed.mixed(with: name))
                try await play(scene, &outcomes)
                try await tally.add(lines(outcomes, try await judge(scene)))
            }
        } catch {
            // Whichever it was: what came before was not judged.
            let failed = steps[min(outcomes.count, steps.count - 1)]
            let line = FaultTally.Line(fault: Self.name(failed), round: number, seed: seed.value, seconds: 0, failure: String("\(error)".prefix(500)))
            try await tally.add([line])
            try await stage.repair()
            throw Failure("\(Self.name(failed)) in \(name), round \(number), \(seed): \(error)")
        }
        try await stage.repair()
    }

    private func play(_ scene: Scene, _ outcomes: inout [Outcome]) async throws {
        let place = scene.place
        await scene.producer.start(pause: .milliseconds(10))
        for slot in 0..<Stage.workers { try scene.start(slot) }
        try await until("events flow") { try await place.checkpoints(reach: Self.lead) }
        let watch = StallWatch(place)
        await watch.start()
        for (place, faults) in steps.enumerated() {
            if place > 0 { try await scene.stage.repair() }
            let began = ContinuousClock.now
            scene.begin(isAlone: faults.count == 1)
            try await scene.pause(upTo: 200)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for fault in faults {
                    group.addTask {
                        do {
                            try await fault.strike(scene)
                        } catch let error as MongoError where faults.count > 1 && error.problem == .serverUnreachable {
                            // The other one took the server away on which this one was to act.
                            scene.note("\(fault.name) found no server")
                        }
                    }
                }
                try await group.waitForAll()
            }
            try scene.fillPlaces()
            let over = scene.instant ?? .now
            try await scene.flowsOn()
            if place == steps.count - 1 {
                try await scene.producer.finish()
                try await scene.drained(within: Self.patience)
            }
            let stall = await watch.longest(from: over, to: .now)
            outcomes.append(Outcome(seconds: (ContinuousClock.now - began).seconds, stall: stall.seconds, detail: scene.detail))
        }
        await watch.stop()
        try await scene.stopAll()
    }

    private func judge(_ scene: Scene) async throws -> Verdict {
        var journal = scene.journal.file
        if !scene.lost.isEmpty {
            let kept = try scene.journal.lines().filter { !scene.lost.contains(Array($0.utf8)) }
            try scene.place.write("kept.ndjson", kept.joined(separator: "\n") + "\n")
            journal = scene.place.directory.appending(path: "kept.ndjson")
        }
        let comment: Comment = "\(name), round \(number), \(seed)"
        let verdict = try await scene.place.expectAllWell(
            "trace", journal, maxEventBytes: Self.maxEventBytes, refused: scene.refused, comment: comment)
        // Every receipt begins where the one before ended, so that together they count everything once.
        let receipts = try await scene.place.mongo.find("millrace.runs", limit: 1000).compactMap { $0["sums"]?.asDocument }
        let received = receipts.reduce(0) { $0 + ($1["received"]?.asInteger ?? 0) }
        #expect(received == verdict.log.values.reduce(0, +), comment)
        let applied = receipts.reduce(0) { $0 + ($1["models"]?.asDocument?["trace"]?.asDocument?["applied"]?.asInteger ?? 0) }
        #expect(applied == verdict.events, comment)
        return verdict
    }

    /// One for each step. The events were judged together: each step has its share of them, and the last what was wrong.
    private func lines(_ outcomes: [Outcome], _ verdict: Verdict) -> [FaultTally.Line] {
        zip(steps, outcomes).enumerated().map { place, step in
            let share = verdict.events / steps.count
            let isLast = place == steps.count - 1
            var line = FaultTally.Line(fault: Self.name(step.0), round: number, seed: seed.value, seconds: step.1.seconds)
            line.events = isLast ? verdict.events - share * place : share
            line.stall = step.1.stall
            line.detail = step.1.detail
            if isLast { (line.lost, line.doubled, line.reordered, line.different) = (verdict.lost, verdict.doubled, verdict.reordered, verdict.different) }
            return line
        }
    }
}
