import HTTPTypes
import Hummingbird
import Logging

/// What the read API's server costs by itself: every request gets an empty answer.
///
/// `bare-bench PORT`
@main
struct BareBench {
    static func main() async throws {
        guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
            print("usage: bare-bench PORT")
            return
        }
        var logger = Logger(label: "bare")
        logger.logLevel = .error
        let responder = CallbackResponder { (_: Request, _: BasicRequestContext) in Response(status: .ok) }
        let application = Application(
            responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: nil, backlog: 1024), logger: logger)
        try await application.runService()
    }
}
