import ConfigurationText
import Testing

@Suite("Durations as texts", .timeLimit(.minutes(1)))
struct DurationTextTests {
    @Test(
        "durations are one whole number and one unit",
        arguments: [
            ("250ms", Duration.milliseconds(250)), ("15s", .seconds(15)), ("2m", .seconds(120)),
            ("1h", .seconds(3_600)),
            ("0s", .zero), ("007s", .seconds(7)),
        ]
    )
    func durations(text: String, expected: Duration) {
        #expect(DurationText.duration(of: text) == expected)
    }

    @Test(
        "what is no duration is refused",
        arguments: [
            "", "s", "15", "15 s", " 15s", "15s ", "-1s", "+1s", "1.5s", "1m30s", "15S", "15sec", "1d",
            "9223372036854775807h",
            "99999999999999999999s", "١s", "0x1s", "ms",
        ]
    )
    func noDurations(text: String) {
        #expect(DurationText.duration(of: text) == nil)
    }

    @Test(
        "a duration is shown in the largest unit without a fraction",
        arguments: [
            (Duration.milliseconds(250), "250ms"), (.milliseconds(1_500), "1500ms"), (.seconds(60), "1m"),
            (.seconds(61), "61s"), (.seconds(7_200), "2h"), (.zero, "0s"),
        ]
    )
    func shownDurations(duration: Duration, expected: String) {
        #expect(DurationText.text(of: duration) == expected)
    }
}
