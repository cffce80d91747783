import Foundation
import Testing

@testable import Definitions

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite struct JUnitReportTests {
    @Test func `build servers read every case and every failure`() throws {
        let source = """
            - { name: "a <good> \\"one\\"", given: { events: [ { eventType: counted, key: a } ] }, expect: { documents: { a: { count: 1 } } } }
            - { name: "bad\\u0001", given: { events: [ { eventType: counted, key: "<&>" } ] }, expect: { documents: {} } }
            """
        let xml = JUnitReport.xml(try run(try cases(source)))
        let elements = try XMLElements(xml)
        #expect(elements.names == ["testsuites", "testsuite", "testcase", "testcase", "failure"])
        #expect(elements.attributes[0]["tests"] == "2" && elements.attributes[0]["failures"] == "1")
        #expect(elements.attributes[1]["name"] == "cases.yaml")
        #expect(elements.attributes[2]["name"] == "a <good> \"one\"" && elements.attributes[2]["classname"] == "product")
        #expect(elements.attributes[3]["name"] == "bad\u{FFFD}" && elements.attributes[3]["line"] == "5")
        #expect(elements.attributes[4]["message"] == "something else comes out than is expected")
        #expect(elements.text.contains("\"<&>\": expected no document, found { count: 1 }"), "\(elements.text)")
    }
}

/// Names, attributes and text of an XML text, by a real parser.
private final class XMLElements: NSObject, XMLParserDelegate {
    private(set) var names: [String] = []
    private(set) var attributes: [[String: String]] = []
    private(set) var text = ""

    init(_ xml: String) throws {
        super.init()
        let parser = XMLParser(data: Data(xml.utf8))
        parser.delegate = self
        try #require(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "") in \(xml)")
    }

    func parser(_ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String]) {
        names.append(name)
        self.attributes.append(attributes)
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}
