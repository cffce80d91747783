import ArgumentParser
import Definitions
import Events
import Foundation
import Models
import MongoStore
import Projector
import RedisAddress
import RedisBuffer
import Values

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Says what is waiting, how far each model is behind, and what was parked."
    )

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let status = try await Ending.of { try await read() }
        if options.json {
            Output.line(JSON.write(.document(document(status))))
        } else {
            show(status)
        }
    }

    private struct Status {
        var streams: [StreamStatus] = []
        var models: [ModelStatus] = []
        var deadLetters: Int64 = 0
    }

    private struct StreamStatus {
        var name: String
        var state = BufferState(waiting: 0, inSegment: 0, oversize: 0, oldest: nil)
        var oldestSeconds: Double?
        var totals = LogTotals()
        /// What no model names.
        var unknownTypes: [StreamUnknownType] = []
    }

    private struct ModelStatus {
        var name: String
        var build: String
        var lag: Int64 = 0
        var lagSeconds: Double = 0
        var documents: Int64 = 0
        /// Among the documents.
        var orphans: Int64 = 0
        var applied: Int64 = 0
        var parked: Int64 = 0
        var stopped: [Standstill] = []
        /// Builds beside the live one.
        var others: [KeptBuild] = []
        /// What keeps it from being what its file says, in words; empty when nothing does.
        var note = ""
    }

    private func read() async throws -> Status {
        let configuration = try options.load()
        let reader = try await Reader(configuration)
        let url = try RedisURL(configuration.redis.url)
        var status = Status()
        status.deadLetters = try await reader.readings.deadLetters(of: reader.builds.values.map(\.id))
        for settings in configuration.streams {
            var stream = StreamStatus(name: settings.name)
            for partition in reader.partitions(of: settings) {
                let buffer = RedisBuffer(
                    url: url, list: settings.list(of: partition.number), installation: reader.installation?.id ?? "", maxEventBytes: settings.maxEventBytes
                )
                let state = try await buffer.waiting()
                stream.state.waiting += state.waiting
                stream.state.inSegment += state.inSegment
                stream.state.oversize += state.oversize
                stream.oldestSeconds = [stream.oldestSeconds, settings.age(of: state.oldest)].compactMap { $0 }.max()
                let totals = try await reader.readings.tail(of: partition).totals
                stream.totals.received += totals.received
                stream.totals.duplicates += totals.duplicates
                stream.totals.undecodable += totals.undecodable
            }
            stream.unknownTypes = try await reader.unknownTypes(of: settings)
            status.streams.append(stream)
        }
        for model in configuration.models { status.models.append(try await read(model, reader)) }
        return status
    }

    private func read(_ model: Model, _ reader: Reader) async throws -> ModelStatus {
        try await reader.live(model.name) { try await read(model, $0, reader) }
            ?? ModelStatus(name: model.name, build: "-", note: "new: made when a worker starts")
    }

    private func read(_ model: Model, _ build: StoredBuild, _ reader: Reader) async throws -> ModelStatus {
        guard let settings = reader.configuration.stream(build.stream) else {
            return ModelStatus(name: model.name, build: build.id.description, note: "there is no stream \(build.stream)")
        }
        var status = ModelStatus(name: model.name, build: build.id.description)
        if reader.needsRebuild(model) { status.note = "rebuild needed: the definition was edited" }
        if !build.isFoldable { status.note = "not projected: folded by version \(build.foldVersion), this binary carries \(foldVersion)" }
        status.documents = try await reader.readings.documents(of: build.id)
        status.orphans = try await reader.readings.orphans(of: build.id)
        for partition in reader.partitions(of: settings) {
            let checkpoint = try await reader.readings.checkpoints(of: partition).first { $0.build == build.id }
            let tail = try await reader.readings.tail(of: partition)
            let offset = checkpoint?.offset ?? 0
            status.lag += max(0, tail.totals.logged - (checkpoint?.totals.logged ?? 0))
            status.applied += checkpoint?.totals.applied ?? 0
            status.parked += checkpoint?.totals.parked ?? 0
            if let stopped = checkpoint?.stopped { status.stopped.append(stopped) }
            if offset < tail.offset, let at = try await reader.readings.logged(at: offset, of: partition) {
                status.lagSeconds = max(status.lagSeconds, Double(tail.now - at) / 1000)
            }
        }
        status.others = reader.pointers[model.name]?.builds.filter { $0.build.id != build.id } ?? []
        if let first = status.stopped.first { status.note = "stopped at \(first.partition)@\(first.offset): \(first.refusal.problem)" }
        return status
    }

    private func document(_ status: Status) -> Document {
        [
            "streams": .document(
                Document(
                    status.streams.map { stream in
                        Document.Field(
                            stream.name,
                            [
                                "waiting": .int64(stream.state.waiting), "inSegment": .int64(stream.state.inSegment),
                                "oldestSeconds": stream.oldestSeconds.map { .double($0) } ?? .null, "oversize": .int64(stream.state.oversize),
                                "received": .int64(stream.totals.received), "logged": .int64(stream.totals.logged),
                                "duplicates": .int64(stream.totals.duplicates), "undecodable": .int64(stream.totals.undecodable),
                                "unknownTypes": .array(stream.unknownTypes.map { .document($0.document) }),
                            ]
                        )
                    }
                )
            ),
            "models": .document(
                Document(
                    status.models.map { model in
                        Document.Field(
                            model.name,
                            [
                                "lag": .int64(model.lag), "lagSeconds": .double(model.lagSeconds), "documents": .int64(model.documents),
                                "orphans": .int64(model.orphans),
                                "build": .string(model.build), "applied": .int64(model.applied), "parked": .int64(model.parked),
                                "stopped": .array(model.stopped.map { .document($0.document) }), "note": .string(model.note),
                                "others": .array(model.others.map { .document($0.document) }),
                            ]
                        )
                    }
                )
            ),
            "deadLetters": .int64(status.deadLetters),
        ]
    }

    private func show(_ status: Status) {
        func seconds(_ number: Double?) -> String { number.map { String(format: "%.1f", $0) } ?? "-" }
        Output.table(
            ["stream", "waiting", "in segment", "oldest s", "received", "duplicates", "undecodable", "oversize"],
            status.streams.map { stream in
                [
                    stream.name, Output.count(stream.state.waiting), Output.count(stream.state.inSegment), seconds(stream.oldestSeconds),
                    Output.count(stream.totals.received), Output.count(stream.totals.duplicates), Output.count(stream.totals.undecodable),
                    Output.count(stream.state.oversize),
                ]
            }
        )
        Output.line("")
        Output.table(
            ["model", "build", "applied", "parked", "lag", "lag s", "documents", "orphans", "note"],
            status.models.map { model in
                [
                    model.name, model.build, Output.count(model.applied), Output.count(model.parked), Output.count(model.lag), seconds(model.lagSeconds),
                    Output.count(model.documents), Output.count(model.orphans), model.note,
                ]
            }
        )
        Output.line("")
        Output.line("dead letters: \(Output.count(status.deadLetters))")
        for standstill in status.models.flatMap(\.stopped) { Output.line("\(standstill)") }
        for build in status.models.flatMap(\.others) { Output.line("\(build.build.id) \(build.line)") }
        let unknown = status.streams.flatMap(\.unknownTypes)
        guard !unknown.isEmpty else { return }
        Output.line("")
        Output.table(["type that no model names", "events", "first", "last"], unknown.map(\.row))
    }
}

extension KeptBuild {
    fileprivate var document: Document {
        var until: Value = .null
        if case .kept(let time) = state { until = .date(time) }
        return ["build": .string(build.id.description), "state": .string(name), "until": until, "made": .date(made)]
    }

    private var name: String {
        switch state {
        case .building: "building"
        case .live: "live"
        case .kept: "kept"
        case .dropping: "dropping"
        }
    }

    fileprivate var line: String {
        switch state {
        case .building: "is being folded: by a rebuild, or by one that was killed (rebuild --resume)"
        case .live: "is live"
        case .kept(let until): "is kept, and goes on, until \(DateTime.format(milliseconds: until)): rebuild --undo goes back to it"
        case .dropping: "is being removed"
        }
    }
}
