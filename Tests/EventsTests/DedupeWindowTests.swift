import EventFixtures
import Fixtures
import Testing
import Values

@testable import Events

/// The window against a list that is searched from its end.
@Suite struct DedupeWindowTests {
    struct Entry {
        var id: Digest
        var content: Digest
        var offset: Int64
        var age: Int64
    }

    struct Model {
        var bounds: DedupeWindow.Bounds
        var entries: [Entry] = []

        func find(_ id: Digest, _ content: Digest, age: Int64) -> DedupeWindow.Finding {
            // Nothing further back can count.
            let reach = entries.suffix(bounds.capacity + 1)
            guard let place = reach.lastIndex(where: { $0.id == id }) else { return .new }
            let between = entries.count - place - 1
            let counts = between <= bounds.originals && age - entries[place].age <= bounds.age || between < bounds.originalsAtAnyAge
            guard counts else { return .new }
            return entries[place].content == content ? .duplicate(of: entries[place].offset) : .reused(at: entries[place].offset)
        }
    }

    /// Few ids, many of them in one chain.
    private func id(_ number: Int) -> Digest { Digest(low: UInt64(number % 5) + UInt64(number % 3) << 40, high: UInt64(number) + 1) }

    @Test(arguments: Seed.ofThisRun) func `random inserts, searches and rollbacks`(seed: Seed) {
        for round in 0..<60 {
            var random = Random(seed, round: round)
            let bounds = DedupeWindow.Bounds(age: Int64(random.below(200)), originals: 1 + random.below(60), originalsAtAnyAge: random.pick([0, 0, 10, 100]))
            let window = DedupeWindow(bounds: bounds)
            var model = Model(bounds: bounds)
            // Also where 32 bits have run out.
            let start = random.pick([0, Int64(UInt32.max) - 20, 1 << 47])
            var (age, offset, mark, ids) = (start, start, 0, 1 + random.below(150))
            for step in 0..<600 {
                switch random.below(20) {
                case 0: age += Int64(random.below(50))
                case 1:
                    mark = window.mark
                    #expect(mark == model.entries.count)
                case 2 where random.once(in: 3):
                    window.rollback(to: mark)
                    model.entries.removeLast(model.entries.count - mark)
                case 3 where random.once(in: 5): ids = 1 + random.below(150)
                case 4...11:
                    let entry = Entry(id: id(random.below(ids)), content: id(random.below(2)), offset: offset, age: age)
                    window.insert(id: entry.id, content: entry.content, offset: entry.offset, age: entry.age)
                    model.entries.append(entry)
                    offset += Int64(1 + random.below(3))
                default:
                    let (wanted, content) = (id(random.below(ids)), id(random.below(2)))
                    #expect(window.find(id: wanted, content: content, age: age) == model.find(wanted, content, age: age), "round \(round), step \(step)")
                }
            }
        }
    }

    /// Far more entries than the window keeps: the oldest make room, chain by chain, also when the newest are rolled back.
    @Test(arguments: Seed.ofThisRun) func `eviction at capacity`(seed: Seed) {
        var random = Random(seed)
        let bounds = DedupeWindow.Bounds(age: .max, originals: 40)
        let window = DedupeWindow(bounds: bounds)
        let capacity = bounds.capacity + StreamSettings.chunkEventsRange.upperBound + 1
        var model = Model(bounds: bounds)
        for number in 0..<(3 * capacity) {
            let entry = Entry(id: random.once(in: 10) ? id(random.below(100)) : id(number), content: id(0), offset: Int64(number), age: 0)
            window.insert(id: entry.id, content: entry.content, offset: entry.offset, age: entry.age)
            model.entries.append(entry)
            #expect(window.count == min(number + 1, capacity))
            if number % 7 == 0 {
                let wanted = id(max(0, number - random.below(60)))
                #expect(window.find(id: wanted, content: id(0), age: 0) == model.find(wanted, id(0), age: 0), "after \(number)")
            }
            if number % 9001 == 9000 {
                // As much as a chunk can hold, which is what the slack is for.
                let mark = window.mark - StreamSettings.chunkEventsRange.upperBound + random.below(1000)
                guard mark > 0, window.count > window.mark - mark + bounds.capacity else { continue }
                window.rollback(to: mark)
                model.entries.removeLast(model.entries.count - mark)
                for back in 0..<60 {
                    let wanted = model.entries[max(0, mark - 1 - back)].id
                    #expect(window.find(id: wanted, content: id(0), age: 0) == model.find(wanted, id(0), age: 0), "\(back) back from \(mark)")
                }
                #expect(window.mark == mark)
                // Fill it again, so that the loop's numbers go on.
                while model.entries.count <= number {
                    let entry = Entry(id: id(1000 + model.entries.count), content: id(0), offset: Int64(model.entries.count), age: 0)
                    window.insert(id: entry.id, content: entry.content, offset: entry.offset, age: entry.age)
                    model.entries.append(entry)
                }
            }
        }
    }

    @Test func `nothing is lost when it grows, and the newest entry of an id decides`() {
        let window = DedupeWindow(bounds: .init(age: .max, originals: 20_000))
        func id(_ number: Int) -> Digest { Digest(low: UInt64(number) &* 0x9E37_79B9, high: 1) }
        for number in 0..<9000 {
            // Each id twice in turn, with other content.
            window.insert(id: id(number / 2), content: id(number), offset: Int64(number), age: 0)
            guard [1023, 1024, 2047, 2048, 2049, 4097, 8999].contains(number) else { continue }
            let wrong = (0...number).filter { other in
                let newest = min(other | 1, number)
                return window.find(id: id(other / 2), content: id(newest), age: 0) != .duplicate(of: Int64(newest))
            }
            #expect(wrong.isEmpty, "after \(number)")
        }
    }

    @Test(arguments: Seed.ofThisRun) func `a window read from the log's digests decides as the one that wrote them`(seed: Seed) throws {
        for round in 0..<30 {
            var random = Random(seed, round: round)
            var settings = TestLog.settings
            settings.chunkEvents = 1 + random.below(20)
            let log = TestLog(settings: settings, bounds: .init(age: 500, originals: 30))
            for _ in 0..<4 {
                log.append(random.texts(25))
                log.clock += Int64(random.below(400))
            }
            let read = DedupeWindow(bounds: log.window.bounds)
            for decoded in log.chunks { read.insert(try ChunkCodec.decodeDigests(Document(bson: ChunkCodec.encode(decoded.chunk)))[0]) }
            #expect(read.count == log.window.count, "round \(round)")
            let age = try #require(log.chunks.last).chunk.age
            for decoded in log.chunks {
                for place in decoded.chunk.elements.indices where decoded.chunk.elements[place].kind == .event {
                    let (id, content) = decoded.chunk.digests(of: place)
                    for content in [content, Digest(low: 1, high: 1)] {
                        #expect(read.find(id: id, content: content, age: age) == log.window.find(id: id, content: content, age: age), "round \(round)")
                    }
                }
            }
        }
    }
}
