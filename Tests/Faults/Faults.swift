import Testing

/// Tests that kill, freeze and mislead the real command on real servers, and ask the oracle what became of it. One after
/// the other: they measure times, and many together would have the machine's few cores wait for each other.
@Suite(.serialized) struct Faults {}
