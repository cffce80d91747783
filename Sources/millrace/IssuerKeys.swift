import Events
import Foundation
import FoundationNetworking

/// An issuer's keys, from where he publishes them.
enum IssuerKeys {
    private static let patience: TimeInterval = 5
    private static let most = ByteCount.mebibytes(1)

    /// - Parameter place: an URL, or the path of a file.
    static func load(_ place: String) async throws -> String {
        guard place.hasPrefix("https://") || place.hasPrefix("http://"), let url = URL(string: place) else {
            return try String(contentsOfFile: place, encoding: .utf8)
        }
        let (data, response) = try await URLSession.shared.data(for: URLRequest(url: url, timeoutInterval: patience))
        guard let response = response as? HTTPURLResponse, response.statusCode == 200, data.count <= most.bytes else {
            throw Refusal(.serverUnreachable, "\(place) gave no keys")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
