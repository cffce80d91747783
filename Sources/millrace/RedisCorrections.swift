import Definitions
import Events
import Projector
import RedisAddress
import RedisBuffer

/// The lists of a stream, for what a reconcile pushes.
struct RedisCorrections: CorrectionLists {
    private let buffers: [RedisBuffer]

    init(_ configuration: Configuration, _ stream: StreamSettings) throws(Refusal) {
        let url = try RedisURL(configuration.redis.url)
        buffers = (0..<stream.partitions).map { number in
            RedisBuffer(url: url, list: stream.list(of: number), installation: "", maxEventBytes: stream.maxEventBytes)
        }
    }

    func token(of partition: Int) async throws -> ListCompleteness {
        ListCompleteness(list: buffers[partition].list, token: try await buffers[partition].token())
    }

    func push(_ elements: [[UInt8]], to partition: Int) async throws { _ = try await buffers[partition].push(elements) }
}
