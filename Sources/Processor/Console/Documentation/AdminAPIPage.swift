import HTTPTypes

/// docs/openapi.yaml as a page: each method of each path with the role that it needs, schemas, security.
struct AdminAPIPage {
    private let document: ContractDocument
    private var root: ContractValue { document.root }

    /// - Throws: where it is not YAML.
    init(yaml: String) throws {
        document = try ContractDocument(yaml: yaml)
    }

    var page: ContractPage {
        let tags = root["tags"]?.elements ?? []
        return ContractPage(
            title: "Admin API",
            about: ContractPage.about(document),
            groups: [servers] + tags.map(group) + [
                ContractPage.schemas(document), ContractPage.securitySchemes(document),
            ]
        )
    }

    private var servers: ContractPage.Group {
        let servers = root["servers"]?.elements ?? []
        return ContractPage.Group(
            anchor: "servers",
            title: "Server",
            entries: servers.enumerated().map { index, server in
                ContractPage.Entry(
                    anchor: "servers-\(index)",
                    name: server["url"]?.text ?? "",
                    about: ContractDocument.html(server["description"]?.text),
                    facts: [ContractPage.Fact("Security", security(root["security"]))]
                        + ContractPage.facts(server, except: ["url", "description"])
                )
            }
        )
    }

    private func group(_ tag: ContractValue) -> ContractPage.Group {
        let name = tag["name"]?.text ?? ""
        let entries = (root["paths"]?.members ?? []).flatMap { path in
            path.value.members
                .filter { $0.name != "parameters" && $0.value["tags"]?.elements.first?.text == name }
                .map { operation(path, $0) }
        }
        return ContractPage.Group(
            anchor: "tag-\(MarkdownText.anchor(name))",
            title: "\(name.prefix(1).uppercased())\(name.dropFirst()): \(tag["description"]?.text ?? "")",
            entries: entries
        )
    }

    private func operation(_ path: ContractValue.Member, _ method: ContractValue.Member) -> ContractPage.Entry {
        let value = method.value
        let id = value["operationId"]?.text ?? ""
        var tables: [ContractTable] = []
        let parameters = [path.value, value].flatMap { $0["parameters"]?.elements ?? [] }.map(document.resolved)
        if !parameters.isEmpty { tables.append(ContractTable("Parameters", fields: parameters.map(parameter))) }
        let body = value["requestBody"]
        if let body { tables.append(ContractTable("Body", fields: content(body, "request"))) }
        tables.append(ContractTable("Responses", fields: (value["responses"]?.members ?? []).flatMap(response)))
        if let metrics = value["x-metrics"] {
            tables.append(
                ContractTable(
                    "Metrics",
                    fields: metrics.members.map { metric in
                        ContractTable.Field(
                            name: metric.name,
                            type: metric.value["type"]?.text ?? "",
                            limits: ["labels: \(metric.value["labels"].map(ContractDocument.brief) ?? "none")"]
                        )
                    }
                )
            )
        }
        let known: Set = [
            "operationId", "tags", "summary", "description", "security", "parameters", "requestBody", "responses",
            "x-metrics",
        ]
        return ContractPage.Entry(
            anchor: "operations-\(id)",
            name: "\(method.name.uppercased()) \(path.name)",
            title: value["summary"]?.text ?? "",
            about: ContractDocument.html(value["description"]?.text),
            facts: [
                ContractPage.Fact("Role", role(method.name, path.name)),
                ContractPage.Fact("Security", security(value["security"] ?? root["security"])),
                ContractPage.Fact("Name", ContractDocument.code(id)),
            ] + ContractPage.facts(value, except: known),
            tables: tables,
            examples: (body.map { examples($0, "Request") } ?? [])
                + (value["responses"]?.members ?? []).flatMap { examples(document.resolved($0.value), $0.name) }
        )
    }

    /// By the rule that the server itself goes by.
    private func role(_ method: String, _ path: String) -> String {
        if AdminAccess.isPublic(path) { return "none: open to whoever can connect" }
        let method = HTTPRequest.Method(method.uppercased()) ?? .post
        return ContractDocument.code(AdminAccess.role(for: method).rawValue)
    }

    /// Any one of what is listed will do.
    private func security(_ ways: ContractValue?) -> String {
        (ways?.elements ?? []).map { way in
            way.members.isEmpty
                ? "none"
                : way.members.map { ContractDocument.link("#/components/securitySchemes/\($0.name)") }.joined(
                    separator: " and "
                )
        }.joined(separator: ", or ")
    }

    private func parameter(_ parameter: ContractValue) -> ContractTable.Field {
        let schema = parameter["schema"] ?? .members([])
        return ContractTable.Field(
            name: parameter["name"]?.text ?? "",
            type: ContractSchema.type(schema) ?? "anything",
            isRequired: parameter["required"]?.text == "true",
            meaning: [ContractSchema.meaning(parameter), ContractSchema.meaning(schema)].filter { !$0.isEmpty }
                .joined(separator: " "),
            limits: ["in: \(ContractDocument.code(parameter["in"]?.text ?? ""))"] + ContractSchema.limits(schema)
        )
    }

    /// A row for each type of content.
    private func content(_ body: ContractValue, _ name: String) -> [ContractTable.Field] {
        (body["content"]?.members ?? []).map { content in
            ContractTable.Field(
                name: name,
                type: content.value["schema"].flatMap(ContractSchema.type) ?? "anything",
                isRequired: body["required"]?.text == "true",
                limits: [ContractDocument.code(content.name)]
            )
        }
    }

    private func response(_ response: ContractValue.Member) -> [ContractTable.Field] {
        let value = document.resolved(response.value)
        var rows = content(value, response.name)
        if rows.isEmpty { rows = [ContractTable.Field(name: response.name, type: "no body")] }
        rows[0].meaning = ContractDocument.line(value["description"]?.text)
        rows[0].limits += (value["headers"]?.members ?? []).map { header in
            let limits =
                header.value["schema"].map { [ContractSchema.type($0)].compactMap(\.self) + ContractSchema.limits($0) }
                ?? []
            let words = ([ContractDocument.line(header.value["description"]?.text)] + limits).filter { !$0.isEmpty }
            return "header \(ContractDocument.code(header.name)): \(words.joined(separator: ", "))"
        }
        return rows
    }

    private func examples(_ body: ContractValue, _ name: String) -> [ContractPage.Example] {
        (body["content"]?.members ?? []).compactMap { content in
            content.value["example"].map { ContractPage.Example(name: name, text: $0.json) }
        }
    }
}
