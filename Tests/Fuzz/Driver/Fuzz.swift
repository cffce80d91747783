import Foundation

private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["MILLRACE_FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget(rawValue: name) else { fatalError("MILLRACE_FUZZ_TARGET is one of \(FuzzTarget.allCases)") }
    return target
}()

/// Gives an input of libFuzzer's to the reader that `MILLRACE_FUZZ_TARGET` names.
@_cdecl("LLVMFuzzerTestOneInput")
public func read(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    if let finding = target.check(Array(UnsafeBufferPointer(start: start, count: count))) { fatalError(finding) }
    return 0
}

/// The program's main, by the name that the package manager gives it: libFuzzer's own.
@_cdecl("fuzz_main")
public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var (count, arguments) = (count, arguments)
    return runDriver(&count, &arguments, read)
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ read: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
