import Events
import Models

/// What a rebuild needs beside folding and switching.
public protocol RebuildStore: SwitchStore {
    /// Makes a build's collection, unless it is there.
    func make(_ build: StoredBuild) async throws

    /// Makes the indexes that a definition asks for. Returns what could not be made and why, one line each.
    func make(_ indexes: [DocumentIndex], of build: BuildID) async throws -> [String]

    /// About how many documents a build holds.
    func count(of build: BuildID) async throws -> Int64

    /// The next documents of a build behind a key, in the order of their keys, as they are stored; fewer where they are large, and
    /// none at the end.
    func documents(of build: BuildID, after key: String?, most: Int) async throws -> [(key: String, bson: [UInt8])]

    /// Keys of so many documents of a build, drawn at random.
    func sample(of build: BuildID, _ count: Int) async throws -> [String]
}
