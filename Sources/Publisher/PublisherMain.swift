import Glibc

@main
enum PublisherMain {
    static func main() async {
        exit(await PublisherCommand.execute(Array(CommandLine.arguments.dropFirst())).rawValue)
    }
}
