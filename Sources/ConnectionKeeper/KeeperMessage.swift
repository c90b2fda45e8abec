/// What the keeper is told, one message a packet.
enum KeeperMessage: Equatable {
    /// Comes with a descriptor.
    case hold(id: UInt64)
    case release(id: UInt64)

    static let byteCount = 16

    /// Kind and id, in the byte order of the machine: both ends are on the same one.
    func write(to bytes: UnsafeMutableRawBufferPointer) {
        let (kind, id): (UInt64, UInt64) =
            switch self {
            case .hold(let id): (1, id)
            case .release(let id): (2, id)
            }
        bytes.storeBytes(of: kind, as: UInt64.self)
        bytes.storeBytes(of: id, toByteOffset: 8, as: UInt64.self)
    }

    /// `nil` for what is no message.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        let id = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        switch bytes.loadUnaligned(as: UInt64.self) {
        case 1: self = .hold(id: id)
        case 2: self = .release(id: id)
        default: return nil
        }
    }
}
