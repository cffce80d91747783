import Glibc
import Testing
import Values

@Suite struct RandomUUIDTests {
    @Test func `one is of version 4, and no two are alike`() {
        let texts = (0..<1000).map { _ in RandomUUID.text() }
        #expect(Set(texts).count == texts.count)
        for text in texts { #expect(text.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil, "\(text)") }
        // All other digits take every value.
        for place in 0..<36 where ![8, 13, 14, 18, 19, 23].contains(place) {
            #expect(Set(texts.map { Array($0)[place] }).count == 16, "digit \(place)")
        }
    }

    @Test func `a process that can open no files has new ones all the same`() async {
        await #expect(processExitsWith: .success) {
            var none = rlimit(rlim_cur: 3, rlim_max: 3)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none) == 0)
            guard open("/dev/urandom", O_RDONLY) == -1, RandomUUID.text() != RandomUUID.text() else { exit(1) }
            exit(0)
        }
    }
}
