import Testing

@testable import Projector

@Suite struct BuildIDTests {
    @Test(arguments: [("product@1", "product", 1), ("a@b@12", "a@b", 12), ("é@0", "é", 0)])
    func `a build is written and read`(text: String, model: String, number: Int) {
        #expect(BuildID(text) == BuildID(model: model, number: number))
        #expect(BuildID(model: model, number: number).description == text)
    }

    @Test(arguments: ["", "product", "product@", "@1", "product@x", "product@1.5", "product@ 1"])
    func `what is none`(text: String) {
        #expect(BuildID(text) == nil)
    }
}
