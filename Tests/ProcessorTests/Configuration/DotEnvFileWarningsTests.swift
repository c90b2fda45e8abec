import ConfigurationText
import Testing

@testable import Processor

@Suite("The warnings about a .env file", .timeLimit(.minutes(1)))
struct DotEnvFileWarningsTests {
    @Test("names that look like ours and are none are reported, with the nearest key")
    func unknownNames() {
        let file = DotEnvFile(
            "AMQP_PREFECTH=1\nBANK_SOMETHING_ELSE=1\nPORT=1\nRABBITMQ_X=1\nAMQP_PREFETCH=2\nADMIN_HOTS=x"
        )
        #expect(
            file.warnings == [
                ".env: ADMIN_HOTS is not a key of the processor and has no effect; did you mean ADMIN_HOST?",
                ".env: AMQP_PREFECTH is not a key of the processor and has no effect; did you mean AMQP_PREFETCH?",
                ".env: BANK_SOMETHING_ELSE is not a key of the processor and has no effect",
            ]
        )
    }
}
