import ArgumentParser
import Health
import ReadAPI

/// What the health service says of the read API alone.
struct ReadHealth: HealthSource {
    let api: ReadService

    func checks() async -> [HealthCheck] { await api.checks() }

    func exposition() async throws -> Exposition {
        var exposition = Exposition()
        exposition.add(.buildInfo, ["version": Millrace.configuration.version], 1)
        for check in await checks() { exposition.add(.up, ["server": check.name], check.fault == nil ? 1 : 0) }
        api.addMetrics(to: &exposition)
        return exposition
    }
}
