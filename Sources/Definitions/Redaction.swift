/// The URL with everything that may be a password replaced by `***`.
///
/// It would rather hide too much than too little: a URL that somebody mistyped is where a password slips out, so the
/// user part is taken to reach to the last `@` of the text, a user without a password counts as one, and so does what
/// stands in a port's place without being a number.
public func redacted(url: String) -> String {
    let scheme = url.firstRange(of: "://").map { url[..<$0.upperBound] } ?? url[..<url.startIndex]
    var rest = url[scheme.endIndex...]
    var text = String(scheme)
    if let at = rest.lastIndex(of: "@") {
        let user = rest[..<at]
        if let colon = user.firstIndex(of: ":") {
            text += user[...colon] + "***@"
        } else {
            text += user.isEmpty ? "@" : "***@"
        }
        rest = rest[rest.index(after: at)...]
    } else {
        let hosts = rest.prefix { $0 != "/" && $0 != "?" }
        text += hosts.split(separator: ",", omittingEmptySubsequences: false).map(redacted(host:)).joined(separator: ",")
        rest = rest[hosts.endIndex...]
    }
    guard let question = rest.firstIndex(of: "?") else { return text + rest }
    let options = rest[rest.index(after: question)...].split(separator: "&", omittingEmptySubsequences: false).map(redacted(option:))
    return text + rest[...question] + options.joined(separator: "&")
}

/// A host of a URL without an `@`: where it was forgotten, the port is the password.
private func redacted(host: Substring) -> String {
    guard !host.hasPrefix("["), let colon = host.firstIndex(of: ":") else { return String(host) }
    let port = host[host.index(after: colon)...]
    let isPort = colon > host.startIndex && port.allSatisfy { $0.isASCII && $0.isNumber }
    return isPort ? String(host) : host[...colon] + "***"
}

/// An option of a URL's query; some hold secrets too.
private func redacted(option: Substring) -> String {
    guard let equals = option.firstIndex(of: "=") else { return String(option) }
    let name = option[..<equals].lowercased()
    let isSecret = ["password", "token", "secret", "authmechanismproperties"].contains { name.contains($0) }
    return isSecret ? option[...equals] + "***" : String(option)
}

/// What somebody wrote, as messages show it: in quotes, on one line, not too long, without passwords.
func quoted(_ text: String) -> String {
    let limit = 80
    var shown = text.contains("://") || (text.contains("@") && text.contains(":")) ? redacted(url: text) : text
    if shown.unicodeScalars.count > limit { shown = String(String.UnicodeScalarView(shown.unicodeScalars.prefix(limit))) + "…" }
    var escaped = ""
    for scalar in shown.unicodeScalars {
        switch scalar {
        case "\"": escaped += "\\\""
        case "\\": escaped += "\\\\"
        case "\n": escaped += "\\n"
        case "\r": escaped += "\\r"
        case "\t": escaped += "\\t"
        // Control and direction characters would let a file write over the terminal that shows the message.
        case _ where [.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory):
            escaped += "\\u{\(String(scalar.value, radix: 16))}"
        default: escaped.unicodeScalars.append(scalar)
        }
    }
    return "\"\(escaped)\""
}
