import Events
import Fixtures
import Models
import Projector
import Values

extension Simulation {
    /// What is not as promised, when all is done and nothing is under way.
    func findings(_ repairs: [Expected.Repair]) async -> [String] {
        let (mongo, lists, crewFindings) = (await world.mongo, await world.lists, crew.findings)
        do {
            let chunks = mongo.chunks { _ in true }.map(DecodedChunk.init(parsing:))
            let expected = Expected(chunks, conditions.builds, repairs: repairs)
            var found = crewFindings + (try expected.differences(mongo, isMeddledWith: conditions.hazards.contains(.foreignDocument)))
            found += logFindings(chunks, expected)
            if let target = conditions.target?.build {
                if mongo.views[target.model] != target { found.append("outside readers see \(mongo.views[target.model]?.description ?? "nothing")") }
                if mongo.pointers[target.model]?.live != target { found.append("\(target) is not live") }
            }
            if lists.contains(where: { !$0.isEmpty }) { found.append("something is left in Redis") }
            let limit = conditions.setting.stream.maxEventBytes.bytes
            if conditions.isEachElementLoggedOnce, lists[0].oversize != conditions.texts[0].filter({ $0.utf8.count > limit }) {
                found.append("what was too large is not kept: \(lists[0].oversize.count) elements are")
            }
            return found
        } catch {
            return crewFindings + ["what is stored cannot be read: \(error)"]
        }
    }

    /// The log holds every element once, in the order of its list, with markers in between.
    private func logFindings(_ chunks: [DecodedChunk], _ expected: Expected) -> [String] {
        let logged = expected.elements
        if conditions.isEachElementLoggedOnce {
            // Nothing comes back from Redis, so that it is known of each element what must have been decided.
            let whole = Expected(conditions.history + conditions.texts[0], conditions.setting.stream, []).elements
            return whole == logged ? [] : ["the log is not what was pushed: \(logged.count) elements where there should be \(whole.count)"]
        }
        let originals = logged.filter { $0.kind != .duplicate }.map(\.bytes)
        var found: [String] = []
        for (number, texts) in ([conditions.history] + conditions.texts).enumerated() {
            let bytes = texts.map { Array($0.utf8) }
            let own = Set(bytes)
            let kept = originals.filter(own.contains)
            if kept != bytes {
                found.append("of list \(number - 1) the log holds \(kept.count) elements where there should be \(bytes.count), or another order")
            }
        }
        let all = conditions.history.count + conditions.texts.reduce(0) { $0 + $1.count }
        if originals.count != all { found.append("the log holds \(originals.count) originals where there should be \(all)") }
        return found
    }
}
