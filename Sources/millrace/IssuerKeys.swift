import AsyncHTTPClient
import Events
import Foundation
import NIOCore
import NIOHTTP1

/// An issuer's keys, from where he publishes them.
enum IssuerKeys {
    private static let patience: TimeAmount = .seconds(5)
    private static let most = ByteCount.mebibytes(1)
    /// A redirection could lead from https to where keys are anybody's.
    private static let client = HTTPClient(
        eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))

    /// - Parameter place: an URL, or the path of a file.
    static func load(_ place: String) async throws -> String {
        guard place.hasPrefix("https://") || place.hasPrefix("http://") else {
            return try String(contentsOfFile: place, encoding: .utf8)
        }
        let response = try await client.execute(HTTPClientRequest(url: place), timeout: patience)
        guard response.status == .ok else { throw Refusal(.serverUnreachable, "\(place) gave no keys: it answered \(response.status)") }
        return String(buffer: try await response.body.collect(upTo: most.bytes))
    }
}
