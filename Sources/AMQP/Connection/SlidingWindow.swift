/// Elements under consecutive numbers, leaving in any order: what is in flight on a channel, by its sequence number or
/// delivery tag. Costs what is in it, not what has passed through.
struct SlidingWindow<Element> {
    private var slots: [Element?] = []
    private var head = 0
    /// The number of the oldest slot. AMQP counts from 1.
    private(set) var first: UInt64 = 1

    /// The number that the next `append` gives.
    var next: UInt64 { first + UInt64(slots.count - head) }

    var isEmpty: Bool { slots.count == head }

    @discardableResult
    mutating func append(_ element: Element) -> UInt64 {
        slots.append(element)
        return next - 1
    }

    subscript(number: UInt64) -> Element? {
        get { index(of: number).flatMap { slots[$0] } }
        set {
            guard let index = index(of: number) else { return }
            slots[index] = newValue
        }
    }

    /// Takes an element out; the window closes up when it was the oldest.
    mutating func remove(_ number: UInt64) -> Element? {
        guard let index = index(of: number), let element = slots[index] else { return nil }
        slots[index] = nil
        dropEmptySlots()
        return element
    }

    /// Takes everything out, oldest first.
    mutating func removeAll() -> [Element] {
        defer { self = SlidingWindow() }
        return slots[head...].compactMap { $0 }
    }

    private func index(of number: UInt64) -> Int? {
        number >= first && number < next ? head + Int(number - first) : nil
    }

    private mutating func dropEmptySlots() {
        while head < slots.count, slots[head] == nil {
            head += 1
            first += 1
        }
        if head == slots.count {
            slots.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1_024, head > slots.count / 2 {
            slots.removeFirst(head)
            head = 0
        }
    }
}

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
