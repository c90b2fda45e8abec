extension Message {
    /// The headers as listings show them and the store keeps them. One whose type means nothing to us is null.
    package var headersJSON: JSONValue {
        .object(
            headers.mapValues { value in
                switch value {
                case .string(let text): .string(text)
                case .integer(let number): .integer(number)
                case .bool(let flag): .bool(flag)
                case .other: .null
                }
            }
        )
    }
}

extension JSONValue {
    /// Read back; `nil` where it is no object of such values.
    package var headers: [String: HeaderValue]? {
        guard case .object(let members) = self else { return nil }
        var headers: [String: HeaderValue] = [:]
        for (name, value) in members {
            switch value {
            case .string(let text): headers[name] = .string(text)
            case .bool(let flag): headers[name] = .bool(flag)
            case .null: headers[name] = .other
            case .number:
                guard let number = value.integer else { return nil }
                headers[name] = .integer(number)
            case .array, .object: return nil
            }
        }
        return headers
    }
}
