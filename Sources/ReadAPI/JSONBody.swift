import Events
import HTTPTypes
import NIOCore
import Values

/// The JSON of an answer, written from the documents' bytes.
struct JSONBody {
    private var text: [UInt8]
    private var isEmptyList = true

    /// Bytes, of an answer with several documents.
    private static let most = 16 << 20
    /// Of documents: whoever keeps one asks whether it is still so.
    static let cacheControl = "private, no-cache"

    /// One document.
    init(capacity: Int) {
        text = []
        text.reserveCapacity(capacity)
    }

    /// An object that begins with a list.
    init(list name: String) { text = Array("{\"\(name)\":[".utf8) }

    /// What a mask shows of a document: all there is, or the list's next element.
    mutating func append(_ document: RawDocument, _ mask: FieldMask) throws(HTTPProblem) {
        beginElement()
        try write(document, mask)
        try check()
    }

    /// An element of the list that has a document, or null, as its last member.
    mutating func append(_ head: Document, _ name: String, _ document: RawDocument?, _ mask: FieldMask) throws(HTTPProblem) {
        beginElement()
        text += JSON.bytes(.document(head)).dropLast()
        text += ",\"\(name)\":".utf8
        if let document { try write(document, mask) } else { text += "null".utf8 }
        text.append(UInt8(ascii: "}"))
        try check()
    }

    /// Ends the list, and the object with one more member.
    mutating func endList(_ name: String, _ value: Value) { text += "],\"\(name)\":\(JSON.write(value))}".utf8 }

    private mutating func beginElement() {
        if !isEmptyList { text.append(UInt8(ascii: ",")) }
        isEmptyList = false
    }

    private mutating func write(_ document: RawDocument, _ mask: FieldMask) throws(HTTPProblem) {
        // Not two at a time, which would copy it.
        var text: [UInt8] = []
        swap(&text, &self.text)
        defer { swap(&text, &self.text) }
        do throws(BSONError) {
            try document.withBytes { (bytes) throws(BSONError) in try DocumentText.append(bytes, mask, to: &text) }
        } catch {
            throw HTTPProblem(.bug, "the document cannot be written: \(error)")
        }
    }

    private func check() throws(HTTPProblem) {
        guard text.count <= Self.most else {
            throw HTTPProblem(.answerTooLarge, "the answer is larger than \(Self.most >> 20) MiB", hint: "ask for fewer documents, or for some fields")
        }
    }

    func answer(_ headers: HTTPFields = [:]) -> HTTPAnswer {
        var headers = headers
        headers[.cacheControl] = Self.cacheControl
        return Self.answer(text, headers)
    }

    /// One that is of everybody's.
    static func answer(_ document: Document) -> HTTPAnswer { answer(JSON.bytes(.document(document)), [.cacheControl: "no-cache"]) }

    private static func answer(_ text: [UInt8], _ headers: HTTPFields) -> HTTPAnswer {
        var headers = headers
        headers[.contentType] = "application/json"
        return HTTPAnswer(status: .ok, headers: headers, body: ByteBuffer(bytes: text))
    }
}
