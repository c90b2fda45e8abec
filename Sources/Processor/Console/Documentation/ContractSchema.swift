/// What a JSON Schema says, in words and links, as HTML.
enum ContractSchema {
    /// `nil` where it leaves the type open.
    static func type(_ schema: ContractValue) -> String? {
        if let reference = schema["$ref"]?.text { return ContractDocument.link(reference) }
        if let items = schema["items"] { return orNull("array of \(type(items) ?? "anything")", schema) }
        if let type = schema["type"] {
            return type.text ?? type.elements.compactMap(\.text).joined(separator: " or ")
        }
        for word in ["anyOf", "oneOf"] {
            if let ways = schema[word]?.elements, schema["properties"] == nil {
                return ways.map { type($0) ?? "anything" }.joined(separator: " or ")
            }
        }
        return schema["allOf"].map { $0.elements.compactMap(type).joined(separator: " and ") }
    }

    private static func orNull(_ text: String, _ schema: ContractValue) -> String {
        let isNullable = schema["type"]?.elements.contains { $0.text == "null" } == true
        return isNullable ? "\(text) or null" : text
    }

    static func meaning(_ schema: ContractValue) -> String {
        let own = ContractDocument.line(schema["description"]?.text)
        let inner = ["anyOf", "oneOf", "allOf"].flatMap { schema[$0]?.elements ?? [] }.map(meaning)
        return ([own] + inner).filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// Said elsewhere in the row.
    private static let said: Set = [
        "$ref", "type", "items", "properties", "patternProperties", "required", "allOf", "anyOf", "oneOf",
        "description",
        "title",
    ]

    static func limits(_ schema: ContractValue) -> [String] {
        let own = schema.members.filter { !said.contains($0.name) }.map { limit($0.name, $0.value) }
        let inner = ["anyOf", "oneOf", "allOf"].flatMap { schema[$0]?.elements ?? [] }
            .filter { $0["properties"] == nil }
            .flatMap(limits)
        let ofItems = (schema["items"].map(limits) ?? []).map { "each: \($0)" }
        return own + (schema["properties"] == nil ? inner : []) + ofItems
    }

    private static func limit(_ name: String, _ value: ContractValue) -> String {
        let text = ContractDocument.brief(value)
        switch name {
        case "enum": return "one of \(text)"
        case "const": return "is \(text)"
        case "default": return "\(text) where it is missing"
        case "minimum": return "at least \(text)"
        case "maximum": return "at most \(text)"
        case "minLength": return "\(text) characters or more"
        case "maxLength": return "\(text) characters at most"
        case "minItems": return "\(text) elements or more"
        case "maxItems": return "\(text) elements at most"
        case "maxProperties": return "\(text) fields at most"
        case "pattern": return "matches \(text)"
        case "format": return "written as \(text)"
        case "additionalProperties", "unevaluatedProperties":
            return value.text == "false" ? "no other fields" : "other fields: \(type(value) ?? "anything")"
        case "x-extensible-enum": return "one of \(text); there may be more"
        case "x-retryable": return "may be sent again: \(text)"
        default: return "\(MarkdownText.escaped(name)): \(text)"
        }
    }

    /// One way of several that a schema can be met: what of it differs from the others.
    static func conditions(_ schema: ContractValue) -> String {
        var parts = [ContractDocument.line(schema["description"]?.text)].filter { !$0.isEmpty }
        let required = (schema["required"]?.elements ?? []).compactMap(\.text)
        if !required.isEmpty { parts.append("with " + required.map(ContractDocument.code).joined(separator: ", ")) }
        parts += properties(schema, below: "")
        if let type = type(schema), schema["properties"] == nil { parts.append(type) }
        return (parts + limits(schema)).joined(separator: "; ")
    }

    private static func properties(_ schema: ContractValue, below path: String) -> [String] {
        (schema["properties"]?.members ?? []).flatMap { property -> [String] in
            let name = path + property.name
            let words = [type(property.value).map { "is \($0)" }].compactMap(\.self) + limits(property.value)
            let own = words.isEmpty ? [] : ["\(ContractDocument.code(name)) \(words.joined(separator: ", "))"]
            return own + properties(property.value, below: "\(name).")
        }
    }
}

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
