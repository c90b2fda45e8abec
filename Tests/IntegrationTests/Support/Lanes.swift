import Testing

// Each test has servers, queues and processes of its own, so any two could run side by side; four lanes, each one test at a
// time, keep two cores busy without drowning them.

/// What is over in seconds.
@Suite(.serialized) enum CommandLane {}

/// What waits for leases and the retry tiers most of its time.
@Suite(.serialized) enum FaultLane {}

/// What waits minutes for something that is unavailable to come back.
@Suite(.serialized) enum OutageLane {}

/// What needs servers that it may restart, or much traffic.
@Suite(.serialized) enum RestartLane {}
