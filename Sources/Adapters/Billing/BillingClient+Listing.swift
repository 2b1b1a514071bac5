internal import Kernel
package import Platform

extension BillingClient {
    /// Every subscription there is; a list with too many pages is an error, not a part of one.
    package func listSubscriptions() async throws(PortError) -> Listing<ListedSubscription> {
        let elements = try await list("/api/subscriptions", [])
        let known = elements.compactMap { element -> ListedSubscription? in
            guard let id = element["id"]?.string ?? element["id"]?.integer.map(String.init),
                let status = element["status"]?.string.flatMap({ BillingStatus(rawValue: $0.uppercased()) })
            else { return nil }
            return ListedSubscription(id: id, status: status, key: element["idempotencykey"]?.string)
        }
        // One that cannot be read may be anybody's.
        return Listing(known, isComplete: known.count == elements.count)
    }
}
