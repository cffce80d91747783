import Foundation

extension Fault {
    private static let hour: Int64 = 3600

    /// Workers whose clocks are wrong. Leases, logging and receipts go by MongoDB's clock, and every wait by one that
    /// nobody can set.
    static let clock = [
        Fault(.clock, "an-hour-ahead") { scene in try await scene.setClocks(hour, 0) },
        Fault(.clock, "an-hour-behind") { scene in try await scene.setClocks(-hour, 0) },
        Fault(.clock, "two-hours-apart") { scene in try await scene.setClocks(hour, -hour) },
        Fault(.clock, "jumping") { scene in
            try await scene.startWithClocks(0, 0)
            for offset in [hour, -hour, 0] {
                for slot in 0..<Stage.workers { try scene.setClock(slot, offset) }
                try await scene.pause(upTo: 2000)
            }
        },
    ]
}

extension Scene {
    fileprivate func setClocks(_ offsets: Int64...) async throws {
        try await startWithClocks(offsets[0], offsets[1])
        try await flowsOn()
        // The one that takes over reads what the other one wrote.
        try await replace(holder())
        try await flowsOn()
    }

    /// Starts both workers anew.
    fileprivate func startWithClocks(_ offsets: Int64...) async throws {
        let library = URL(filePath: Build.debug.program).deletingLastPathComponent().appending(path: "libWrongClock.so").path
        try await stopAll()
        for slot in 0..<Stage.workers {
            try setClock(slot, offsets[slot])
            try start(slot, environment: ["LD_PRELOAD": library, "WRONG_CLOCK": clock(slot).path])
        }
        try await begun()
    }

    /// In place, because the worker keeps the file open.
    fileprivate func setClock(_ slot: Int, _ offset: Int64) throws {
        let file = clock(slot)
        if !FileManager.default.fileExists(atPath: file.path) { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        let handle = try FileHandle(forUpdating: file)
        defer { try? handle.close() }
        try handle.write(contentsOf: withUnsafeBytes(of: offset) { Data($0) })
    }

    private func clock(_ slot: Int) -> URL { place.directory.appending(path: "clock-\(slot)") }
}
