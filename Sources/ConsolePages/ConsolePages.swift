/// What the console's pages are made of, compiled in, so that one file is all that a processor needs.
package enum ConsolePages {
    /// Mustache, by name.
    package static var templates: [String: String] {
        let bytes: [String: [UInt8]] = [
            "audit": PackageResources.audit_mustache,
            "command": PackageResources.command_mustache,
            "contract": PackageResources.contract_mustache,
            "dead-letter": PackageResources.dead_letter_mustache,
            "dead-letter-action": PackageResources.dead_letter_action_mustache,
            "dead-letters": PackageResources.dead_letters_mustache,
            "guide": PackageResources.guide_mustache,
            "job": PackageResources.job_mustache,
            "job-progress": PackageResources.job_progress_mustache,
            "layout": PackageResources.layout_mustache,
            "message": PackageResources.message_mustache,
            "overview": PackageResources.overview_mustache,
            "overview-live": PackageResources.overview_live_mustache,
            "payment": PackageResources.payment_mustache,
            "payment-rows": PackageResources.payment_rows_mustache,
            "payments": PackageResources.payments_mustache,
            "reference": PackageResources.reference_mustache,
            "replay": PackageResources.replay_mustache,
            "replay-progress": PackageResources.replay_progress_mustache,
            "replays": PackageResources.replays_mustache,
            "resolve": PackageResources.resolve_mustache,
            "review": PackageResources.review_mustache,
            "reviews": PackageResources.reviews_mustache,
            "sign-in": PackageResources.sign_in_mustache,
            "sweeps": PackageResources.sweeps_mustache,
            "time": PackageResources.time_mustache,
        ]
        return bytes.mapValues { String(decoding: $0, as: UTF8.self) }
    }

    package static var style: [UInt8] { PackageResources.style_css }
    package static var script: [UInt8] { PackageResources.script_js }
    package static var icon: [UInt8] { PackageResources.icon_svg }

    /// The contract for machines, as YAML: the messages, and the admin API.
    package static var asyncAPI: String { String(decoding: PackageResources.asyncapi_yaml, as: UTF8.self) }
    package static var openAPI: String { String(decoding: PackageResources.openapi_yaml, as: UTF8.self) }

    /// Markdown, by the name of the page.
    package static var guides: [String: String] {
        [
            "runbook": String(decoding: PackageResources.runbook_md, as: UTF8.self),
            "operations": String(decoding: PackageResources.operations_md, as: UTF8.self),
        ]
    }
}
