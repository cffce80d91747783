import HTTPTypes
import NIOCore

/// What a request is answered. All of it is there.
struct HTTPAnswer {
    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body = ByteBuffer()

    /// With what is said of a body whether it is sent or not, as HEAD asks for it.
    var head: HTTPResponse {
        var headers = headers
        // Its length would be that of the body that is not sent (RFC 9110, 8.6).
        if status != .notModified { headers[.contentLength] = "\(body.readableBytes)" }
        return HTTPResponse(status: status, headerFields: headers)
    }
}
