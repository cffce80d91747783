import ArgumentParser
import CMalloc
import Glibc

/// The command. Everything it does is in the other targets; here is what it says and how it ends.
@main
struct Millrace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace",
        abstract: "Keeps JSON read models fresh without Kafka: Redis lists in, MongoDB documents out, exactly once.",
        version: "0.1.0",
        subcommands: [
            PushCommand.self, DrainCommand.self, RunCommand.self, ServeCommand.self, TokenCommand.self, GetCommand.self, ExplainCommand.self,
            EventsCommand.self, DeadCommand.self,
            RebuildCommand.self, ReconcileCommand.self, SnapshotCommand.self, StatusCommand.self, JobsCommand.self, RunsCommand.self, CheckCommand.self,
            TestCommand.self, PlanCommand.self, SchemaCommand.self, SandboxCommand.self, PruneCommand.self, EraseCommand.self,
        ]
    )

    static func main() async {
        // A server that goes away must be an error of the call, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        keepMemorySmall()
        Output.openStandardStreams()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: error)
        }
    }

    /// glibc would keep what large batches leave behind: an arena for each thread, and up to 64 MiB free in each. Two arenas,
    /// and large blocks that go back at once, take a tenth less memory and no measurable time. An arena grows by the mebibyte:
    /// by the page, as it would, a drain asks the kernel hundreds of times.
    private static func keepMemorySmall() {
        mallopt(M_ARENA_MAX, 2)
        mallopt(M_MMAP_THRESHOLD, 1 << 20)
        mallopt(M_TRIM_THRESHOLD, 4 << 20)
        mallopt(M_TOP_PAD, 1 << 20)
    }
}
