/// A place in the replica set's own history, as every answer of MongoDB names it: what is read at one, or after it, holds
/// everything that was committed before.
public struct OperationTime: Hashable, Comparable, Sendable {
    /// Since 1970.
    public var seconds: UInt32
    /// Within the second.
    public var increment: UInt32

    public init(seconds: UInt32, increment: UInt32) {
        self.seconds = seconds
        self.increment = increment
    }

    public static func < (left: OperationTime, right: OperationTime) -> Bool {
        (left.seconds, left.increment) < (right.seconds, right.increment)
    }
}
