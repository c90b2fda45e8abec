/// A queue with cheap removal at its front.
struct FIFO<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { elements.count == head }
    var first: Element? { isEmpty ? nil : elements[head] }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1_024, head > elements.count / 2 {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    func forEach(_ body: (Element) -> Void) {
        for case let element? in elements[head...] { body(element) }
    }

    /// In their order.
    var all: some Sequence<Element> { elements[head...].lazy.compactMap { $0 } }

    mutating func removeAll() -> [Element] {
        defer { self = FIFO() }
        return elements[head...].compactMap { $0 }
    }

    /// Takes out what fulfils the condition, keeping the order of the rest.
    mutating func extract(where isWanted: (Element) -> Bool) -> [Element] {
        let all = removeAll()
        for element in all where !isWanted(element) { append(element) }
        return all.filter(isWanted)
    }
}
