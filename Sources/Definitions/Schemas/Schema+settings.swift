import Events
import Values

// millrace.yaml.
extension Schema {
    static let settings = file(
        "Millrace's settings", keys: ConfigurationReader.keys, required: ["streams"],
        [
            "redis": map(keys: ConfigurationReader.redisKeys, ["url": text]),
            "mongodb": map(keys: ConfigurationReader.mongodbKeys, ["url": text, "database": database]),
            "lease": duration,
            "health": map(keys: ConfigurationReader.healthKeys, ["listen": listen]),
            "api": map(
                keys: ConfigurationReader.apiKeys,
                [
                    "listen": listen, "rate": integer(APISettings.rateRange), "concurrency": integer(APISettings.concurrencyRange), "deadline": duration,
                    "connections": integer(APISettings.connectionsRange),
                    "issuer": map(
                        keys: ConfigurationReader.issuerKeys, required: ConfigurationReader.issuerKeys, ["url": text, "audience": text, "keys": text]),
                    "tls": map(keys: ConfigurationReader.tlsKeys, required: ["certificate", "key"], ["certificate": text, "key": text]),
                ]),
            "runs": map(keys: ConfigurationReader.runsKeys, ["keep": duration]),
            "streams": map(names: name, of: any(["type": "null"], stream), atLeast: 1),
        ]
    )

    private static let listen = text("^(off|[^/@ ]+:[0-9]{1,5})$")

    private static let database: Value = [
        "type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[^/\\\\. \"$*<>:|?]*$", "not": ["enum": ["admin", "local", "config"]],
    ]

    /// A path into the event.
    private static let eventPath = text("^[$](\(Event.MemberName.all.joined(separator: "|")))([.][^.$][^.]*)*$")

    private static let pointer = text("^(/([^~]|~0|~1)*)?$")

    private static let stream: Value = {
        let shape = map(
            keys: StreamReader.keys,
            [
                "list": ["type": "string", "minLength": 1, "maxLength": 256], "partitions": integer(StreamSettings.partitionRange),
                "format": any(
                    oneOf(StreamReader.formats.map(\.name)),
                    map(
                        keys: StreamReader.pointerNames, required: ["eventId", "eventType"],
                        Dictionary(StreamReader.pointerNames.map { ($0, pointer) }) { $1 })),
                "key": eventPath, "keys": map(of: eventPath), "outbox": text,
                "types": map(names: text("^(occurredAt|(data|row)([.][^.]+)+)$"), of: oneOf(ValueType.allCases.map(\.rawValue))),
                "dedupe": map(keys: ["window", "events"], ["window": duration, "events": integer(StreamSettings.dedupeEventsRange)]),
                "chunk": map(keys: ["events", "bytes"], ["events": integer(StreamSettings.chunkEventsRange), "bytes": size]),
                "maxEventBytes": size,
                "log": map(keys: ["retain"], ["retain": any(["const": "forever"], duration)]),
            ])
        // Keys of tables are for row events, and stand for the one key of other streams; a map of pointers has the key in
        // it, unless the stream says where it is.
        let rows: Value = ["properties": ["format": ["const": "debezium"]], "required": ["format"]]
        let pointers: Value = ["properties": ["format": ["type": "object"]], "required": ["format"]]
        return all(
            shape, ["if": ["required": ["keys"]], "then": rows], ["if": ["required": ["outbox"]], "then": rows], ["not": ["required": ["key", "keys"]]],
            ["if": pointers, "then": any(["required": ["key"]], ["properties": ["format": ["required": ["key"]]]])]
        )
    }()
}
