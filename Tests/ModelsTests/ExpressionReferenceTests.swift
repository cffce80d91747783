import Foundation
import Models
import Testing

@Suite struct ExpressionReferenceTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/expressions.md")

    @Test func `the reference page says what the operators say`() throws {
        if ProcessInfo.processInfo.environment["MILLRACE_WRITE_REFERENCE"] != nil {
            try FileManager.default.createDirectory(at: Self.file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(ExpressionReference.page.utf8).write(to: Self.file)
        }
        let page = try String(contentsOf: Self.file, encoding: .utf8)
        #expect(page == ExpressionReference.page, "docs/expressions.md is out of date: MILLRACE_WRITE_REFERENCE=1 writes it anew")
    }

    @Test func `each operator is described once`() {
        let operators = ExpressionOperator.families.flatMap(\.operators)
        #expect(operators.count == ExpressionOperator.all.count)
        for op in operators {
            #expect(op.meaning.hasSuffix("."), "\(op.name)")
            #expect(op.example.hasPrefix("{ \(op.name): "), "\(op.name)")
        }
    }
}
