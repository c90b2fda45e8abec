import Glibc
import Program

@main
enum PublisherMain {
    static func main() async {
        StandardStream.begin()
        let status = await PublisherCommand.execute(Array(CommandLine.arguments.dropFirst()))
        exit(StandardStream.endStatus(status.rawValue, of: PublisherCommand.program))
    }
}
