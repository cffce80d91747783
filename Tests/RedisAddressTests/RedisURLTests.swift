import Events
import RedisAddress
import Testing

@Suite struct RedisURLTests {
    @Test(
        arguments: [
            ("redis://localhost", RedisURL.Server.tcp(host: "localhost", port: 6379), nil, nil, 0),
            ("redis://localhost/", .tcp(host: "localhost", port: 6379), nil, nil, 0),
            ("REDIS://127.0.0.1:7000/2", .tcp(host: "127.0.0.1", port: 7000), nil, nil, 2),
            ("redis://[::1]:7000", .tcp(host: "::1", port: 7000), nil, nil, 0),
            ("redis://[::1]", .tcp(host: "::1", port: 6379), nil, nil, 0),
            ("redis://:secret@host", .tcp(host: "host", port: 6379), nil, "secret", 0),
            ("redis://user:se:cret@host:1/9", .tcp(host: "host", port: 1), "user", "se:cret", 9),
            ("redis://user@host", .tcp(host: "host", port: 6379), "user", "", 0),
            ("redis://us%20er:%40%2f%25@host", .tcp(host: "host", port: 6379), "us er", "@/%", 0),
            ("unix:///run/redis.sock", .unix(path: "/run/redis.sock"), nil, nil, 0),
            ("unix:///run/a%20b.sock?db=4", .unix(path: "/run/a b.sock"), nil, nil, 4),
            ("unix://user:secret@/run/redis.sock", .unix(path: "/run/redis.sock"), "user", "secret", 0),
        ] as [(String, RedisURL.Server, String?, String?, Int)])
    func `good URLs`(text: String, server: RedisURL.Server, user: String?, password: String?, database: Int) throws {
        let url = try RedisURL(text)
        #expect(url.server == server)
        #expect(url.user == user)
        #expect(url.password == password)
        #expect(url.database == database)
        if let password, !password.isEmpty { #expect(!"\(url) \(String(reflecting: url))".contains(password)) }
    }

    @Test(arguments: [
        ("", "must begin"),
        ("localhost:6379", "must begin"),
        ("http://localhost", "scheme"),
        ("rediss://localhost", "stunnel"),
        ("redis+sentinel://localhost", "scheme"),
        ("redis://", "host is empty"),
        ("redis://:6379", "host is empty"),
        ("redis://user:SECRET@", "host is empty"),
        ("redis://:@host", "empty"),
        ("redis://host:", "port"),
        ("redis://host:0", "port"),
        ("redis://host:70000", "port"),
        ("redis://host:+1", "port"),
        ("redis://host:port", "port"),
        ("redis://::1:6379", "brackets"),
        ("redis://[::1", "]"),
        ("redis://[::1]x", "port"),
        ("redis://host/x", "database"),
        ("redis://host/-1", "database"),
        ("redis://host/1/2", "database"),
        ("redis://host/99999999999", "database"),
        ("redis://host?db=1", "options"),
        ("redis://user:SEC RET@host", "space"),
        ("redis://user:SEC#RET@host", "%23"),
        ("redis://user:SEC@RET@host", "%40"),
        ("redis://user:SEC/RET@host", "%2F"),
        ("redis://user:SEC?RET@host", "port"),
        ("redis://user:SECRET%@host", "%25"),
        ("redis://user:SECRET%4@host", "%25"),
        ("redis://user:SECRET%zz@host", "%25"),
        ("redis://user:SECRET%ff@host", "UTF-8"),
        ("unix://run/redis.sock", "three slashes"),
        ("unix://", "three slashes"),
        ("unix:///run/redis.sock?x=1", "?db="),
        ("unix:///run/redis.sock?db=x", "database"),
        ("unix:///" + String(repeating: "x", count: 107), "107"),
    ])
    func `bad URLs are refused without repeating what may be a password`(text: String, part: String) throws {
        let refusal = #expect(throws: Refusal.self) { try RedisURL(text) }
        #expect(refusal?.problem == .badConfiguration)
        #expect(refusal?.message.contains(part) == true, "\(refusal?.message ?? "")")
        #expect(refusal?.message.contains("SEC") == false)
        #expect(refusal?.message.contains("RET") == false)
    }

    @Test(arguments: [
        ("redis://host", "redis://host:6379"),
        ("redis://us%20er:secret@[::1]:7/3", "redis://us%20er:***@[::1]:7/3"),
        ("redis://:secret@host", "redis://:***@host:6379"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
    ])
    func `the description hides the password`(text: String, description: String) throws {
        #expect(try RedisURL(text).description == description)
    }
}
