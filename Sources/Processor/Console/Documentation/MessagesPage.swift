/// docs/asyncapi.yaml as a page: servers, channels, operations, messages, schemas, topology and security.
struct MessagesPage {
    private let document: ContractDocument
    private var root: ContractValue { document.root }

    /// - Throws: where it is not YAML.
    init(yaml: String) throws {
        document = try ContractDocument(yaml: yaml)
    }

    var page: ContractPage {
        ContractPage(
            title: "Messages",
            about: ContractPage.about(document),
            groups: [
                group("servers", "Servers", server), group("channels", "Channels", channel),
                group("operations", "Operations", operation), messages, ContractPage.schemas(document), parameters,
                topology, ContractPage.securitySchemes(document),
            ]
        )
    }

    private func group(
        _ name: String,
        _ title: String,
        _ entry: (ContractValue.Member) -> ContractPage.Entry
    ) -> ContractPage.Group {
        ContractPage.Group(anchor: name, title: title, entries: (root[name]?.members ?? []).map(entry))
    }

    private func server(_ server: ContractValue.Member) -> ContractPage.Entry {
        let value = server.value
        func text(_ name: String) -> String { value[name]?.text ?? "" }
        let variables = (value["variables"]?.members ?? []).map { variable in
            ContractTable.Field(
                name: variable.name,
                type: "text",
                meaning: ContractSchema.meaning(variable.value),
                limits: ContractSchema.limits(variable.value)
            )
        }
        return ContractPage.Entry(
            anchor: "servers-\(server.name)",
            name: server.name,
            about: ContractDocument.html(value["description"]?.text),
            facts: [
                ContractPage.Fact(
                    "Address",
                    ContractDocument.code("\(text("protocol"))://\(text("host"))\(text("pathname"))")
                ),
                ContractPage.Fact("Protocol", ContractDocument.code("\(text("protocol")) \(text("protocolVersion"))")),
                ContractPage.Fact("Security", ContractDocument.links(value["security"]?.elements ?? [])),
            ]
                + ContractPage.facts(
                    value,
                    except: [
                        "description", "protocol", "host", "pathname", "protocolVersion", "security", "variables",
                    ]
                ),
            tables: variables.isEmpty ? [] : [ContractTable("Variables", fields: variables)]
        )
    }

    private func channel(_ channel: ContractValue.Member) -> ContractPage.Entry {
        let value = channel.value
        let parameters = (value["parameters"]?.members ?? []).map { parameter in
            let schema = document.resolved(parameter.value)
            return ContractTable.Field(
                name: parameter.name,
                type: parameter.value["$ref"]?.text.map(ContractDocument.link) ?? "text",
                isRequired: true,
                meaning: ContractSchema.meaning(schema),
                limits: ContractSchema.limits(schema)
            )
        }
        let users = (root["operations"]?.members ?? []).filter {
            $0.value.at("channel/$ref")?.text == "#/channels/\(channel.name)"
        }
        let address = value["address"]
        let isNamed = address.map { $0 != .scalar("null", isText: false) } ?? false
        return ContractPage.Entry(
            anchor: "channels-\(channel.name)",
            name: channel.name,
            title: value["title"]?.text ?? "",
            about: ContractDocument.html(value["description"]?.text),
            facts: [
                ContractPage.Fact(
                    "Address",
                    isNamed ? address.map(ContractDocument.brief) ?? "" : "named by the client"
                ),
                ContractPage.Fact("At the broker", optional: value.at("bindings/amqp").map(ContractDocument.brief)),
                ContractPage.Fact(
                    "Operations",
                    optional: ContractDocument.links(users.map { Self.reference("operations", $0) })
                ),
                ContractPage.Fact("Messages", ContractDocument.links((value["messages"]?.members ?? []).map(\.value))),
            ].compactMap(\.self)
                + ContractPage.facts(
                    value,
                    except: ["address", "title", "description", "parameters", "messages", "bindings"]
                ),
            tables: parameters.isEmpty ? [] : [ContractTable("Parameters", fields: parameters)]
        )
    }

    private func operation(_ operation: ContractValue.Member) -> ContractPage.Entry {
        let value = operation.value
        let channel = value["channel"] ?? .members([])
        let messages = value["messages"]?.elements ?? document.resolved(channel)["messages"]?.members.map(\.value) ?? []
        let isReceived = value["action"]?.text == "receive"
        let reply = value["reply"]
        let replies = [
            ContractPage.Fact("Reply in", optional: reply?.at("channel/$ref")?.text.map(ContractDocument.link)),
            ContractPage.Fact("Reply", optional: reply?["messages"].map { ContractDocument.links($0.elements) }),
            ContractPage.Fact(
                "Its address",
                optional: reply?["address"].map { address in
                    ContractDocument.line(address["description"]?.text) + " "
                        + ContractDocument.code(address["location"]?.text ?? "")
                }
            ),
        ]
        return ContractPage.Entry(
            anchor: "operations-\(operation.name)",
            name: operation.name,
            title: value["summary"]?.text ?? "",
            facts: [
                ContractPage.Fact(
                    "Action",
                    ContractDocument.brief(value["action"] ?? .members([]))
                        + (isReceived ? ": the processor takes it" : ": the processor publishes it")
                ),
                ContractPage.Fact("Channel", ContractDocument.links([channel])),
                ContractPage.Fact("Messages", ContractDocument.links(messages)),
            ]
                + replies.compactMap(\.self)
                + [ContractPage.Fact("At the broker", optional: value.at("bindings/amqp").map(ContractDocument.brief))]
                .compactMap(\.self)
                + ContractPage.facts(
                    value,
                    except: ["action", "summary", "channel", "messages", "reply", "bindings"]
                )
        )
    }

    private var parameters: ContractPage.Group {
        ContractPage.Group(
            anchor: "parameters",
            title: "Parameters",
            entries: (root.at("components/parameters")?.members ?? []).map { parameter in
                ContractPage.Entry(
                    anchor: "parameters-\(parameter.name)",
                    name: parameter.name,
                    tables: [ContractTable("Parameter", parameter.value, document)]
                )
            }
        )
    }

    private static func reference(_ group: String, _ member: ContractValue.Member) -> ContractValue {
        .members([.init(name: "$ref", value: .scalar("#/\(group)/\(member.name)", isText: true))])
    }
}

extension MessagesPage {
    fileprivate var messages: ContractPage.Group {
        ContractPage.Group(
            anchor: "messages",
            title: "Messages",
            entries: (root.at("components/messages")?.members ?? []).map(message)
        )
    }

    private func message(_ message: ContractValue.Member) -> ContractPage.Entry {
        let value = message.value
        let channels = (root["channels"]?.members ?? []).filter { channel in
            (channel.value["messages"]?.members ?? []).contains {
                $0.value["$ref"]?.text == "#/components/messages/\(message.name)"
            }
        }
        var body: String?
        if let largest = value.at("x-body/largest")?.text {
            let isEmpty = value.at("x-body/empty")?.text == "true"
            body =
                "\(ContractDocument.code(largest)) bytes at most; no bytes at all are \(isEmpty ? "<code>{}</code>" : "refused")"
        }
        let parts = [("Properties", "x-amqp-properties"), ("Headers", "headers"), ("Payload", "payload")]
        return ContractPage.Entry(
            anchor: "messages-\(message.name)",
            name: message.name,
            title: value["title"]?.text ?? "",
            about: ContractDocument.html(value["summary"]?.text) + ContractDocument.html(value["description"]?.text),
            facts: [
                ContractPage.Fact("Type", optional: value.at("bindings/amqp/messageType").map(ContractDocument.brief)),
                ContractPage.Fact("Body", optional: body),
                ContractPage.Fact("In", ContractDocument.links(channels.map { Self.reference("channels", $0) })),
            ].compactMap(\.self)
                + ContractPage.facts(
                    value,
                    except: [
                        "title", "summary", "description", "bindings", "x-body", "headers", "payload",
                        "x-amqp-properties", "examples",
                    ]
                ),
            tables: parts.compactMap { title, name in value[name].map { ContractTable(title, $0, document) } },
            examples: (value["examples"]?.elements ?? []).map { example in
                let shown = example.members.filter { $0.name != "name" }
                return ContractPage.Example(
                    name: example["name"]?.text ?? "headers and payload",
                    text: ContractValue.members(shown).json
                )
            }
        )
    }

    fileprivate var topology: ContractPage.Group {
        func fields(_ name: String) -> [ContractTable.Field] {
            (root.at("x-topology/\(name)")?.members ?? []).map { object in
                let arguments = object.value["arguments"] ?? object.value
                return ContractTable.Field(
                    name: object.name,
                    type: object.value["type"]?.text ?? "queue",
                    limits: arguments.members.map { "\($0.name): \(ContractDocument.brief($0.value))" }
                )
            }
        }
        let bindings = (root.at("x-topology/bindings")?.elements ?? []).map { binding in
            ContractTable.Field(
                name: binding["queue"]?.text ?? "",
                type: "binding",
                limits: ["exchange", "key"].map { "\($0): \(binding[$0].map(ContractDocument.brief) ?? "")" }
            )
        }
        return ContractPage.Group(
            anchor: "topology",
            title: "Topology",
            entries: [
                ContractPage.Entry(
                    anchor: "topology-objects",
                    name: "x-topology",
                    tables: [
                        ContractTable("Exchanges", fields: fields("exchanges")),
                        ContractTable("Queues", fields: fields("queues")),
                        ContractTable("Bindings", fields: bindings),
                    ]
                )
            ]
        )
    }
}
