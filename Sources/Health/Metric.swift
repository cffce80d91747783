/// Every metric that there is: alert rules and the dashboard may name no others. Labels are names out of the configuration or
/// closed lists, never keys, ids or texts of errors.
public enum Metric: String, CaseIterable, Sendable {
    case buildInfo = "millrace_build_info"
    case up = "millrace_up"
    case connections = "millrace_mongodb_connections"

    // Streams.
    case waiting = "millrace_list_length"
    case inSegment = "millrace_inflight_events"
    case oldestAge = "millrace_list_oldest_event_age_seconds"
    case received = "millrace_received_events_total"
    case duplicates = "millrace_duplicate_events_total"
    case undecodable = "millrace_decode_failures_total"
    case ingestStages = "millrace_ingest_stage_duration_seconds"

    // Models.
    case folded = "millrace_fold_events_total"
    case written = "millrace_documents_written_total"
    case drifted = "millrace_drifted_documents_total"
    case lag = "millrace_lag_events"
    case lagAge = "millrace_position_age_seconds"
    case caughtUp = "millrace_caught_up"
    case stopped = "millrace_stopped_partitions"
    case deadLetters = "millrace_dead_letters"

    // Reconciles: the last of each model.
    case reconciled = "millrace_reconcile_checked_documents"
    case reconcileDrift = "millrace_reconcile_drifted_documents"
    case reconcileRepaired = "millrace_reconcile_repaired_documents"
    case reconcileRatio = "millrace_reconcile_drift_ratio"
    case reconcileClean = "millrace_reconcile_last_clean_timestamp_seconds"

    // Rebuilds.
    case builds = "millrace_builds"
    case rebuildEvents = "millrace_rebuild_folded_events"
    case rebuildProgress = "millrace_rebuild_progress_ratio"

    // Batches of this process.
    case batchEvents = "millrace_batch_events"
    case batchDuration = "millrace_batch_duration_seconds"
    case batchStages = "millrace_batch_stage_seconds_total"
    case eventDelay = "millrace_event_delay_seconds"

    // Jobs.
    case jobRunning = "millrace_job_running"
    case jobPaused = "millrace_job_paused"
    case jobBad = "millrace_job_bad"
    case jobLastRun = "millrace_job_last_run_timestamp_seconds"
    case jobNextRun = "millrace_job_next_run_timestamp_seconds"
    case jobSkipped = "millrace_job_skipped_total"

    // The read API of this process.
    case requestDuration = "http_server_request_duration_seconds"
    case requestsUnderWay = "http_server_active_requests"
    case readWait = "millrace_read_wait_seconds"
    case cacheLookups = "millrace_cache_lookups_total"
    case cacheBytes = "millrace_cache_bytes"
    case lookupsWaiting = "millrace_waiting_lookups"
    case breakerOpen = "millrace_breaker_open"

    public enum Kind: String, Sendable {
        case gauge, counter, histogram
    }

    public var kind: Kind {
        switch self {
        case .batchEvents, .batchDuration, .eventDelay, .ingestStages, .requestDuration, .readWait: .histogram
        default: rawValue.hasSuffix("_total") ? .counter : .gauge
        }
    }

    var help: String {
        switch self {
        case .buildInfo: "1, with the version."
        case .up: "1 where the servers have answered for this scrape, by server."
        case .connections: "Connections to MongoDB that this process's drains may have, used and free."
        case .waiting: "Events that wait in the lists of a stream."
        case .inSegment: "Events that were cut from the lists and are not logged yet."
        case .oldestAge: "How long ago the oldest waiting event says that it happened."
        case .received: "Elements received and logged, duplicates among them, by all runners since the beginning."
        case .duplicates: "Of them, duplicates."
        case .undecodable: "Of them, elements that are no events."
        case .ingestStages: "Time of a cut that found something, a read, an append to the log and a release, in this process."
        case .folded: "What became of events in the live build: applied, ignored, parked or held."
        case .written: "Documents written in the live build, by what was done, and those that batches left unchanged."
        case .drifted: "Documents of the live build that were not what the log makes them, found when they were written next."
        case .lag: "Events that are logged and have not taken effect."
        case .lagAge: "How long ago the first of them was logged; 0 where there is none."
        case .caughtUp: "1 where there is none."
        case .stopped: "Partitions in which the model is stopped until somebody acts."
        case .deadLetters: "Dead letters of the live builds, and elements that are no events, without those that were dropped."
        case .reconciled: "Documents that the last reconcile of the model compared."
        case .reconcileDrift: "Of them, those that were not what the log makes them: missing, extra or different."
        case .reconcileRepaired: "Of these, those that it wrote anew."
        case .reconcileRatio: "The part of the documents that was not what the log makes them."
        case .reconcileClean: "When the last reconcile began that found nothing; 0 where none of the last ones did."
        case .builds: "Builds of the model by state: building, live, kept or dropping."
        case .rebuildEvents: "Events that the rebuild under way has folded; 0 where there is none."
        case .rebuildProgress: "How far it is; 1 where there is none under way."
        case .batchEvents: "Events of a batch, in this process."
        case .batchDuration: "Time from the first read of a batch to its commit, in this process."
        case .batchStages: "The same by stage: load, fold and write."
        case .eventDelay: "Time from a batch's last event, as it says itself, until it could be read, in this process."
        case .jobRunning: "1 while a run is under way on any runner."
        case .jobPaused: "1 while the job is paused."
        case .jobBad: "1 from a run that was not good until the next one that is."
        case .jobLastRun: "When the last run ended."
        case .jobNextRun: "When the next one is due."
        case .requestDuration: "Time from a request's head to its answer, by route, method and status."
        case .requestsUnderWay: "Requests that are being answered."
        case .readWait: "Time that requests for causal or strong answers waited, by whether what they waited for was reached."
        case .cacheLookups: "Lookups that the model's cache could answer: hit, miss, or stale while MongoDB gave no answer."
        case .cacheBytes: "What the model's cache holds."
        case .lookupsWaiting: "Lookups that wait for a read or are being read."
        case .breakerOpen: "1 while MongoDB is not asked because it was not well, by where is read: secondaries or primary."
        case .jobSkipped: "Runs that were due and did not begin, by reason: overlap or missed."
        }
    }
}
