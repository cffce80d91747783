import Testing

/// Everything that starts servers, one test at a time: some of them measure, some use a lot of memory.
@Suite(.serialized) struct RedisSuite {}

extension String {
    /// A list's element.
    var element: [UInt8] { Array(utf8) }
}
