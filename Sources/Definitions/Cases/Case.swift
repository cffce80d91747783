import Events
import Models
import Values

/// The cases of one file of `tests/`: what a model must make of given documents and events.
public struct CaseFile: Sendable {
    /// As a person opens it.
    public var file: String
    public var model: String
    public var cases: [Case]
    /// The file's text.
    var source: String
}

/// One case of a model.
public struct Case: Sendable {
    public var name: String
    /// Where the case begins in its file.
    var place: Place
    /// Documents that are stored before the first event: their ids and their fields.
    var documents: [(id: String, fields: Document)] = []
    /// Elements in the order in which they are pushed.
    var elements: [Element] = []
    /// How long after the first instant events are logged, by their numbers; those behind one with it.
    var delays: [Int: Duration] = [:]
    /// nil where the file does not say yet.
    var expectation: Expectation?
    /// Where `expect:` stands, and what it holds; nil where there is none.
    var expectPlace: (key: Place, value: Place)?
    /// Whether every event may come again under another id, and the documents stay what they are.
    public var isRepeatable = false
    /// Whether the events may come in any order, and the documents are the same.
    public var isUnordered = false

    /// Where the case begins, counted from 1.
    public var line: Int { place.line }

    /// Far more than a case that anybody reads; every boundary between two is cut at.
    static let maximumElements = 1000
    /// 5,040 orders.
    static let maximumUnordered = 7

    /// An element as it is pushed.
    enum Element {
        /// A member that the stream's format needs for an id, and that the case leaves out, is added.
        case event(Document)
        /// The text itself: for what a map cannot say, such as a number's digits or what is no JSON.
        case text(String)
    }
}

/// What a case ends with. What it names is complete.
struct Expectation {
    /// nil: they are not looked at.
    var documents: [(id: String, fields: Document)]?
    /// Ids under which there must be no document.
    var absent: [String] = []
    /// Numbers of the events, counted from 1.
    var ignored: [Int] = []
    var duplicates: [Int] = []
    var held: [Int] = []
    var parked: [(event: Int, problem: String)] = []
    /// What stops the model: the events behind it wait.
    var stopped: (event: Int, problem: String)?
}
