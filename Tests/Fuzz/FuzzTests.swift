import Fixtures
import Foundation
import Testing

/// What once was a finding, and inputs that are nearly right: no reader crashes, and what must hold of any input holds.
/// `scripts/test --fuzz MINUTES` has libFuzzer look for more.
@Suite struct FuzzTests {
    /// Inputs of each target, and for how many changed ones there is time.
    private static let trials: [(target: FuzzTarget, count: Int)] = [(.events, 2000), (.bson, 10_000), (.chunk, 6000), (.yaml, 1200)]

    private static func corpus(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "corpus/\(target)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }

    @Test(arguments: FuzzTarget.allCases) func `every input of the corpus is read`(target: FuzzTarget) throws {
        let corpus = try Self.corpus(target)
        #expect(corpus.count >= 20)
        for (name, bytes) in corpus { #expect(target.check(bytes) == nil, "\(target)/\(name)") }
    }

    @Test(arguments: trials, Seed.ofThisRun) func `changed inputs are read`(trial: (target: FuzzTarget, count: Int), seed: Seed) throws {
        let mutator = Mutator(trial.target, corpus: try Self.corpus(trial.target).map(\.bytes))
        var slowest = (time: Duration.zero, input: [UInt8]())
        for round in 0..<trial.count {
            var random = Random(seed, round: round)
            let input = mutator.input(&random)
            let began = Self.processorTime
            if let finding = trial.target.check(input) { Issue.record("\(finding): \(Data(input).base64EncodedString())") }
            let time = Self.processorTime - began
            if time > slowest.time { slowest = (time, input) }
        }
        #expect(slowest.time < .seconds(15), "\(Data(slowest.input).base64EncodedString())")
    }

    /// Of this thread: on a busy machine an input that takes no time can take seconds.
    private static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
