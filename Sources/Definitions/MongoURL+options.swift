extension MongoURL {
    /// What an option's value is.
    private enum Kind { case text, number, truth }

    /// The options that libmongoc 1.23 knows (its documentation of `mongoc_uri_t`), as they are written.
    private static let options: [(name: String, kind: Kind)] =
        [
            "appname", "authMechanism", "authMechanismProperties", "authSource", "compressors", "gssapiServiceName", "readConcernLevel", "readPreference",
            "readPreferenceTags", "replicaSet", "srvServiceName", "tlsCAFile", "tlsCertificateKeyFile", "tlsCertificateKeyFilePassword", "w",
        ].map { ($0, .text) }
        + [
            "connectTimeoutMS", "heartbeatFrequencyMS", "localThresholdMS", "maxIdleTimeMS", "maxPoolSize", "maxStalenessSeconds", "minPoolSize",
            "serverSelectionTimeoutMS", "socketCheckIntervalMS", "socketTimeoutMS", "srvMaxHosts", "waitQueueMultiple", "waitQueueTimeoutMS", "wtimeoutMS",
            "zlibCompressionLevel",
        ].map { ($0, .number) }
        + [
            "canonicalizeHostname", "directConnection", "journal", "loadBalanced", "retryReads", "retryWrites", "safe", "serverSelectionTryOnce", "ssl",
            "sslAllowInvalidCertificates", "sslAllowInvalidHostnames", "tls", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames",
            "tlsDisableCertificateRevocationCheck", "tlsDisableOCSPEndpointCheck", "tlsInsecure",
        ].map { ($0, .truth) }

    /// Why an option would be passed over in silence, or would keep the client from being made.
    static func fault(option: String, _ value: String) -> URLFault? {
        guard let (name, kind) = options.first(where: { $0.name.lowercased() == option }) else {
            return URLFault("the option \(quoted(option)) is not known", Suggestion.didYouMean(option, among: options.map(\.name)) ?? "leave it out")
        }
        switch kind {
        case .text: return value.isEmpty ? URLFault("\(name) has no value", "leave it out, or give it one") : nil
        case .number: return Int32(value).map { $0 >= 0 } ?? false ? nil : URLFault("\(name) must be a whole number, at least 0")
        case .truth: return ["true", "false"].contains(value.lowercased()) ? nil : URLFault("\(name) must be true or false")
        }
    }
}
