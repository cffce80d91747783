import Events

/// What is complete where the checkpoint stands, and what is done where there is no batch.
extension Projection {
    /// Rule 12: what is complete at an offset; within one run of Redis it never goes down.
    func merged(_ stored: [ListCompleteness], reaching offset: Int64) -> [ListCompleteness] {
        var merged = stored
        for (entry, needed) in completeness where needed <= offset {
            if let index = merged.firstIndex(where: { $0.list == entry.list }) {
                if merged[index].token.run == entry.token.run, merged[index].token.cuts >= entry.token.cuts { continue }
                merged[index] = entry
            } else {
                merged.append(entry)
            }
        }
        return merged
    }

    /// Does what is left to do where there is no batch. False where there turns out to be one.
    func rest() async throws -> Bool {
        guard try await settle(), let current = checkpoint else { return false }
        try await noteCompleteness(current)
        if let checkpoint { try await sweep(checkpoint) }
        return true
    }

    private func noteCompleteness(_ current: Checkpoint) async throws {
        let complete = merged(current.complete, reaching: current.offset)
        guard complete != current.complete else { return }
        guard try await store.note(complete, in: current) == .committed else { return forget() }
        CrashPoint.completenessNoted.reached()
        checkpoint?.complete = complete
    }
}
