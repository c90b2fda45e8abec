/// Where a value came from, the strongest first.
enum SettingSource: String, Sendable, CaseIterable {
    case commandLine = "command line"
    case environment = "environment"
    case file = ".env"
    case `default` = "default"
}
