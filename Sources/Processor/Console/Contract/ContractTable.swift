/// A JSON Schema as a table: a row for each field, the fields of an inner object among them.
struct ContractTable: Sendable {
    let title: String
    /// About the whole, as HTML.
    private(set) var notes: [String] = []
    private(set) var fields: [Field] = []
    /// Stored, as all that a template names must be.
    private(set) var hasFields = false

    struct Field: Sendable {
        let name: String
        /// As HTML, like what follows.
        var type: String
        var isRequired = false
        var meaning = ""
        var limits: [String] = []
    }

    init(_ title: String, fields: [Field], notes: [String] = []) {
        (self.title, self.fields, self.notes) = (title, fields, notes)
        hasFields = !fields.isEmpty
    }

    init(_ title: String, _ schema: ContractValue, _ document: ContractDocument) {
        self.title = title
        read(schema, document)
        hasFields = !fields.isEmpty
    }

    /// The schema itself, not one of a field.
    private mutating func read(_ schema: ContractValue, _ document: ContractDocument) {
        if let reference = schema["$ref"]?.text {
            notes.append("As \(ContractDocument.link(reference)).")
            return read(document.resolved(schema), document)
        }
        let type = ContractSchema.type(schema)
        if schema["properties"] == nil, schema["allOf"] == nil, let type { notes.append(type) }
        if let text = schema["description"]?.text { notes.append(ContractDocument.line(text)) }
        for part in schema["allOf"]?.elements ?? [] { read(part, document) }
        addFields(of: schema, below: "", document)
        for word in ["oneOf", "anyOf"] {
            guard let ways = schema[word]?.elements, type == nil || schema["properties"] != nil else { continue }
            let texts = ways.map { "<li>\(ContractSchema.conditions($0))</li>" }
            notes.append("\(word == "oneOf" ? "Exactly one" : "At least one") of:<ul>\(texts.joined())</ul>")
        }
        notes += ContractSchema.limits(schema)
    }

    private mutating func addFields(of schema: ContractValue, below path: String, _ document: ContractDocument) {
        let required = Set((schema["required"]?.elements ?? []).compactMap(\.text))
        for property in schema["properties"]?.members ?? [] {
            add(property.value, path + property.name, isRequired: required.contains(property.name), document)
        }
        for pattern in schema["patternProperties"]?.members ?? [] {
            add(pattern.value, "\(path)/\(pattern.name)/", isRequired: false, document)
        }
        // What must be there, and is described elsewhere.
        for name in schema["required"]?.elements.compactMap(\.text) ?? [] {
            if let index = fields.firstIndex(where: { $0.name == path + name }) {
                fields[index].isRequired = true
            } else {
                fields.append(Field(name: path + name, type: "anything", isRequired: true))
            }
        }
    }

    private mutating func add(
        _ schema: ContractValue,
        _ name: String,
        isRequired: Bool,
        _ document: ContractDocument
    ) {
        let type = ContractSchema.type(schema)
        let limits = ContractSchema.limits(schema)
        // A later part of the schema says more of the same field.
        if let index = fields.firstIndex(where: { $0.name == name }) {
            fields[index].isRequired = fields[index].isRequired || isRequired
            fields[index].limits += limits
        } else {
            fields.append(
                Field(
                    name: name,
                    type: type ?? (schema["const"] ?? schema["enum"] == nil ? "anything" : "one value"),
                    isRequired: isRequired,
                    meaning: ContractSchema.meaning(schema),
                    limits: limits
                )
            )
        }
        addFields(of: schema, below: "\(name).", document)
        if let items = schema["items"] { addFields(of: items, below: "\(name)[].", document) }
    }
}
