internal import Glibc
internal import NIOCore

/// Tells addresses that anybody can reach from those that only we can: what somebody outside has us call must be one of
/// the former, or they would see and move what is theirs to see and move through us.
///
/// After the registries of special-purpose addresses of IANA (RFC 6890 and what has come since).
package enum PublicAddress {
    /// Whether an address is one of the public internet.
    static func judges(_ address: SocketAddress) -> Bool {
        guard let text = address.ipAddress else { return false }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return isPublic(v4: Array(bytes.prefix(4))) }
        // What is scoped to a link is none of the public internet anyway.
        return inet_pton(AF_INET6, text, &bytes) == 1 && isPublic(v6: bytes)
    }

    /// Whether an IPv4 address is one of the public internet.
    ///
    /// - Parameter bytes: Four, the most significant first.
    /// - Returns: `false` for what is none.
    package static func isPublic(v4 bytes: [UInt8]) -> Bool {
        guard bytes.count == 4 else { return false }
        let value = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !special.contains { value >> (32 - $0.bits) == $0.prefix >> (32 - $0.bits) }
    }

    /// Whether an IPv6 address is one of the public internet.
    ///
    /// - Parameter bytes: Sixteen, the most significant first.
    /// - Returns: `false` for what is none.
    package static func isPublic(v6 bytes: [UInt8]) -> Bool {
        guard bytes.count == 16 else { return false }
        func begins(_ prefix: [UInt8]) -> Bool { Array(bytes.prefix(prefix.count)) == prefix }
        // What stands for an IPv4 address is judged as one: mapped, and translated by NAT64.
        if begins([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) || begins([0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]) {
            return isPublic(v4: Array(bytes.suffix(4)))
        }
        // Only 2000::/3 is given out at all.
        guard bytes[0] & 0xE0 == 0x20 else { return false }
        // 6to4 has an IPv4 address inside.
        if begins([0x20, 0x02]) { return isPublic(v4: Array(bytes[2..<6])) }
        // 2001::/23 is for protocols (Teredo, ORCHID, benchmarks), 2001:db8::/32 and 3fff::/20 for documents.
        if begins([0x20, 0x01]), bytes[2] < 2 { return false }
        if begins([0x20, 0x01, 0x0D, 0xB8]) { return false }
        return !(begins([0x3F, 0xFF]) && bytes[2] < 0x10)
    }

    private static let special: [(prefix: UInt32, bits: UInt32)] = [
        (0x0000_0000, 8),  // this network
        (0x0A00_0000, 8),  // private
        (0x6440_0000, 10),  // shared by carriers
        (0x7F00_0000, 8),  // loopback
        (0xA9FE_0000, 16),  // link-local, and the metadata of clouds
        (0xAC10_0000, 12),  // private
        (0xC000_0000, 24),  // protocols
        (0xC000_0200, 24),  // documents
        (0xC058_6300, 24),  // 6to4 relays
        (0xC0A8_0000, 16),  // private
        (0xC612_0000, 15),  // benchmarks
        (0xC633_6400, 24),  // documents
        (0xCB00_7100, 24),  // documents
        (0xE000_0000, 4),  // multicast
        (0xF000_0000, 4),  // reserved, and broadcast
    ]
}

extension SocketAddress {
    /// Everything that the system says a name stands for; blocks.
    static func all(of host: String, port: Int) throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_family = AF_UNSPEC
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var (found, next) = ([SocketAddress](), list)
        while let entry = next?.pointee {
            if let address = entry.ai_addr {
                switch entry.ai_family {
                case AF_INET:
                    address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                        found.append(SocketAddress($0.pointee))
                    }
                case AF_INET6:
                    address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                        found.append(SocketAddress($0.pointee))
                    }
                default: break
                }
            }
            next = entry.ai_next
        }
        return found
    }
}
