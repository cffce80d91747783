import Testing

/// Everything that works on the shared replica set, one test at a time: fail points are a server's, not a test's, and
/// leases are measured.
@Suite(.serialized) struct MongoSuite {}
