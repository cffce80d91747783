import Testing

@testable import Definitions

@Suite struct ServerURLTests {
    @Test(arguments: [
        "redis://127.0.0.1:6379", "redis://h", "redis://h/", "redis://h/15", "redis://:p@h:1", "redis://u:p%40ss@h", "redis://[::1]:6379/0",
        "unix:///run/redis.sock", "unix://:p@/run/redis.sock?db=3",
    ])
    func `good URLs of Redis`(url: String) { #expect(URLFault.ofRedis(url) == []) }

    @Test(arguments: [
        ("h:6379", "must begin with"), ("http://h", "the scheme is not known"),
        ("rediss://h", "stunnel"), ("redis://", "host is empty"), ("redis://h:x", "port"), ("redis://u:p@ss@h", "%40"), ("redis://h?db=1", "options"),
    ])
    func `bad URLs of Redis`(url: String, fragment: String) throws {
        let fault = try #require(URLFault.ofRedis(url).first)
        #expect(fault.message.contains(fragment), "\(fault)")
    }

    @Test(arguments: [
        "mongodb://127.0.0.1:27017/?replicaSet=rs0", "mongodb://a,b:2,[::1]:3", "mongodb://u:p%3A@h/admin?authSource=x&w=majority&RetryWrites=true",
        "mongodb://h/?tls=true&tlsCAFile=/etc/ca.pem&connectTimeoutMS=500&directConnection=false&compressors=zlib&appname=x", "mongodb+srv://u:p@example.net/",
        "mongodb://CN%3Dx@h/?authMechanism=MONGODB-X509", "mongodb://%2Ftmp%2Fmongodb-27017.sock/",
    ])
    func `good URLs of MongoDB`(url: String) { #expect(MongoURL.faults(url) == []) }

    @Test(arguments: [
        ("h:27017", ["has no scheme"]), ("redis://h", ["has a scheme that MongoDB has not"]), ("mongodb://", ["has no host"]),
        ("mongodb://a,,b", ["has no host"]),
        ("mongodb://a,b:0", ["has a port"]), ("mongodb://u:@h", ["has an empty password"]), ("mongodb://:p@h", ["has an @ without a user"]),
        ("mongodb+srv://a,b", ["one host and no port"]), ("mongodb+srv://a:1", ["one host and no port"]),
        ("mongodb://h?w=1", ["options right after the host"]),
        ("mongodb://h/?w=1&retryWrites=false", ["w other", "retryWrites=false"]), ("mongodb://h/?W=2", ["w other"]),
        ("mongodb://h/?w=majority&w=1", ["w other"]),
        ("mongodb://h/?readConcernLevel=local", ["readConcernLevel other"]), ("mongodb://h/?journal=false", ["journal=false"]),
        ("mongodb://h/?w=%31", ["w other"]), ("mongodb://h/?readPreference=secondary", ["readPreference other"]),
        ("mongodb://h/?safe=false", ["safe is the old name"]), ("mongodb://h/?retrywrite=true", ["\"retrywrite\" is not known"]),
        ("mongodb://h/?x=1&w=1&y", ["\"x\" is not known", "w other", "\"y\" is not known"]),
        ("mongodb://h/?maxStalenessSeconds=120", ["reads from secondaries"]), ("mongodb://h/?readPreferenceTags=dc:a", ["reads from secondaries"]),
        ("mongodb://h/?directConnection=true", ["does not follow a failover"]),
        ("mongodb://h/?serverSelectionTimeoutMS=abc", ["serverSelectionTimeoutMS must be a whole number"]),
        ("mongodb://h/?socketTimeoutMS=-1", ["socketTimeoutMS must be a whole number"]),
        ("mongodb://h/?maxPoolSize=1.5", ["maxPoolSize must be a whole number"]),
        ("mongodb://h/?connectTimeoutMS=99999999999", ["connectTimeoutMS must be a whole number"]), ("mongodb://h/?tls=yes", ["tls must be true or false"]),
        ("mongodb://h/?replicaSet=", ["replicaSet has no value"]),
    ])
    func `bad URLs of MongoDB`(url: String, fragments: [String]) {
        let faults = MongoURL.faults(url)
        #expect(faults.count == fragments.count)
        for (fault, fragment) in zip(faults, fragments) { #expect(fault.message.contains(fragment), "\(fault)") }
    }

    @Test(arguments: [
        ("redis://h:6379/0", "redis://h:6379/0"), ("redis://u:sesame@h:6379", "redis://u:***@h:6379"), ("redis://:sesame@h", "redis://:***@h"),
        ("redis://sesame@h", "redis://***@h"), ("redis://u:ses@me@h", "redis://u:***@h"), ("redis://u:ses/me@h", "redis://u:***@h"),
        ("redis://u:ses?me@h", "redis://u:***@h"), ("redis://u:ses:me@h", "redis://u:***@h"), ("redis://:sesame", "redis://:***"),
        ("redis://u:sesame", "redis://u:***"), (":sesame@h", ":***@h"), ("u:sesame@h", "u:***@h"),
        ("mongodb://a:1,b:2/?w=1", "mongodb://a:1,b:2/?w=1"),
        ("mongodb://[::1]:27017/", "mongodb://[::1]:27017/"),
        ("mongodb://u:sesame@a,b/x?tlsCertificateKeyFilePassword=sesame&w=1", "mongodb://u:***@a,b/x?tlsCertificateKeyFilePassword=***&w=1"),
        ("mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:sesame", "mongodb://h/?authMechanismProperties=***"), ("", ""), ("@", "@"),
    ])
    func `passwords are not shown`(url: String, shown: String) { #expect(redacted(url: url) == shown) }

    @Test func `an option that is nearly right comes with the right one`() {
        #expect(MongoURL.faults("mongodb://h/?retrywrite=true").first?.suggestion == "did you mean \"retryWrites\"?")
        #expect(MongoURL.faults("mongodb://h/?replicatSet=rs0").first?.suggestion == "did you mean \"replicaSet\"?")
    }

    /// Wherever somebody puts a URL by mistake, the message that says so must not hold its password.
    @Test func `no message and no description holds a password`() throws {
        let url = "mongodb://user:sesame@host/?w=1"
        let main = """
            version: 1
            \(url): 1
            redis: { url: "\(url)" }
            mongodb: { url: "\(url)", database: "\(url)" }
            lease: "\(url)"
            streams: { "\(url)": 1, product: { partitions: "\(url)", key: "\(url)", list: [ "\(url)" ], maxEventBytes: "\(url)" } }

            """
        let model = """
            version: 1
            model: "\(url)"
            stream: "\(url)"
            onError: "\(url)"
            fold: { a: { "\(url)": 1, $inc: { a: "\(url)", "\(url)": 2 }, $push: { b: { $each: "\(url)", "\(url)": 1 } } } }

            """
        let job = "version: 1\njob: drain\nstreams: [ \"\(url)\" ]\npoll: \"\(url)\"\n"
        let other = goodModel.replacing("stream: product", with: "stream: other")
        let files = try Files([
            "millrace.yaml": main, "models/a.yaml": model, "models/b.yaml": other, "jobs/a.yaml": job, "jobs/b.yaml": "version: 1\njob: \"\(url)\"\n",
        ])
        let found = files.problems(["MILLRACE_REDIS_URL": url, "MILLRACE_MONGODB_DATABASE": url])
        #expect(found.count > 15)
        #expect(found.filter { $0.contains("sesame") } == [])

        var redis = Configuration.Redis()
        redis.url = url
        var mongodb = Configuration.MongoDB()
        mongodb.url = url
        #expect(!"\(redis) \(mongodb) \([redis]) \(String(reflecting: mongodb))".contains("sesame"))
    }
}
