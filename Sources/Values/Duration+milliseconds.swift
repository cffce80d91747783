extension Duration {
    /// As clocks count that are stored: rounded towards 0.
    public var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
