import Events
import Foundation
import FoundationNetworking

/// An issuer's keys, from where he publishes them.
enum IssuerKeys {
    private static let patience: TimeInterval = 5
    /// What was read before is of no use: keys are asked for where they may have changed.
    private static let session = {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.urlCache = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        configuration.timeoutIntervalForRequest = patience
        configuration.timeoutIntervalForResource = patience
        return URLSession(configuration: configuration)
    }()
    private static let most = ByteCount.mebibytes(1)

    /// - Parameter place: an URL, or the path of a file.
    static func load(_ place: String) async throws -> String {
        guard place.hasPrefix("https://") || place.hasPrefix("http://"), let url = URL(string: place) else {
            return try String(contentsOfFile: place, encoding: .utf8)
        }
        let (data, response) = try await session.data(from: url)
        guard let response = response as? HTTPURLResponse, response.statusCode == 200, data.count <= most.bytes else {
            throw Refusal(.serverUnreachable, "\(place) gave no keys")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
