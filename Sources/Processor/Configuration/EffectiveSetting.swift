/// A setting as it is in force, fit to be shown.
struct EffectiveSetting: Hashable, Sendable {
    let name: String
    /// Redacted; `nil` where the setting has no value.
    let shown: String?
    let source: SettingSource
}
