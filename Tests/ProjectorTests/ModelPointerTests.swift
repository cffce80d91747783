import Models
import Projector
import Testing

/// What may become of a model's builds, and what a frozen checkpoint means.
@Suite struct ModelPointerTests {
    private static func id(_ number: Int) -> BuildID { BuildID(model: "product", number: number) }

    static func build(_ number: Int) -> StoredBuild {
        StoredBuild(id: id(number), stream: "product", source: "", foldHash: "hash-\(number)", foldVersion: Models.foldVersion)
    }

    private static func pointer(_ states: KeptBuild.State...) -> ModelPointer {
        let builds = states.enumerated().map { KeptBuild(build($0 + 1), $1, made: 0) }
        return ModelPointer(model: "product", live: builds.first { $0.state == .live }?.build.id ?? id(1), builds: builds)
    }

    private static let entry = SwitchEntry(id: "s1", target: id(2), keep: 500)

    @Test func `a switch is entered, moves the pointer and is closed, each once`() throws {
        let entered = try #require(Self.pointer(.live, .building).entering(Self.entry))
        #expect(entered.revision == 1 && entered.live == Self.id(1) && entered.entry == Self.entry)
        #expect(entered.entering(SwitchEntry(id: "s2", target: Self.id(2), keep: 0)) == nil, "one at a time")
        #expect(entered.closed("s1") == nil && entered.moved("s2", at: 0) == nil)
        #expect(entered.dropping(Self.id(2)) == nil, "readers go there")

        let moved = try #require(entered.moved("s1", at: 1000))
        #expect(moved.revision == 2 && moved.live == Self.id(2) && moved.liveBuild == Self.build(2))
        #expect(moved.build(Self.id(1))?.state == .kept(until: 1500) && moved.projected.map(\.id) == [Self.id(2), Self.id(1)])
        #expect(moved.moved("s1", at: 0) == nil && moved.struckOut("s1") == nil)
        #expect(moved.droppable(at: .max).isEmpty, "whoever goes on with the switch finds what it froze")

        let closed = try #require(moved.closed("s1"))
        #expect(closed.entry == nil && closed.closed("s1") == nil)
        #expect(closed.droppable(at: 1499).isEmpty && closed.droppable(at: 1500) == [Self.id(1)])
        #expect(closed.lastLeft?.id == Self.id(1))
    }

    @Test func `a switch that is struck out changes nothing but that`() throws {
        let pointer = Self.pointer(.live, .building)
        let struckOut = try #require(pointer.entering(Self.entry)?.struckOut("s1"))
        #expect(struckOut.revision == 2)
        var same = struckOut
        same.revision = 0
        #expect(same == pointer)
    }

    @Test func `readers are sent to builds that are there, and to no others`() {
        #expect(Self.pointer(.live, .dropping).entering(Self.entry) == nil)
        #expect(Self.pointer(.live).entering(Self.entry) == nil)
        #expect(Self.pointer(.building, .live).entering(Self.entry) == nil, "they are there")
        #expect(Self.pointer(.live, .kept(until: 0)).entering(Self.entry) != nil)
    }

    @Test func `the build that was left last is gone back to, however long others are kept`() throws {
        var pointer = Self.pointer(.live, .building, .building)
        for (number, keep) in [(2, 90_000), (3, 10)] as [(Int, Int64)] {
            let id = "s\(number)"
            let entered = try #require(pointer.entering(SwitchEntry(id: id, target: Self.id(number), keep: keep)))
            pointer = try #require(entered.moved(id, at: 0)?.closed(id))
        }
        #expect(pointer.live == Self.id(3) && pointer.lastLeft?.id == Self.id(2))
    }

    @Test func `a number is given once, and a build is removed in two steps`() throws {
        let model = Model(name: "product", stream: "product", fold: EffectFold([:]), source: "", foldHash: "new", stoppingHash: "-")
        let (added, build) = Self.pointer(.live).adding(model, at: 7)
        #expect(build.id == Self.id(2) && added.build(build.id)?.state == .building)
        #expect(added.without(build.id) == nil)
        let dropping = try #require(added.dropping(build.id))
        #expect(dropping.dropping(build.id) == nil && dropping.droppable(at: 0) == [build.id] && dropping.projected.map(\.id) == [Self.id(1)])
        let removed = try #require(dropping.without(build.id))
        #expect(removed.builds.count == 1)
        #expect(removed.adding(model, at: 8).build.id == Self.id(3))
        #expect(Self.pointer(.live).dropping(Self.id(1)) == nil, "readers see it")
    }

    @Test func `a frozen checkpoint waits for its own switch alone`() throws {
        let entered = try #require(Self.pointer(.live, .building).entering(Self.entry))
        #expect(entered.meaning(ofFreeze: "s1", on: Self.id(1)) == .underWay)
        #expect(entered.meaning(ofFreeze: "s0", on: Self.id(1)) == .left)
        let moved = try #require(entered.moved("s1", at: 0))
        #expect(moved.meaning(ofFreeze: "s1", on: Self.id(1)) == .underWay, "the view does not follow yet")
        let closed = try #require(moved.closed("s1"))
        #expect(closed.meaning(ofFreeze: "s1", on: Self.id(1)) == .left)
        #expect(closed.meaning(ofFreeze: "s1", on: Self.id(9)) == .gone)
        #expect(try #require(closed.dropping(Self.id(1))).meaning(ofFreeze: "s1", on: Self.id(1)) == .gone)
    }
}
