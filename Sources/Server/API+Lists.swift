internal import HTTPTypes
internal import Kernel
internal import Projections

/// Lists that come in pages: `{"data":[…],"next":"…"|null}`, with a link to the next one.
extension API {
    /// A page of a read model.
    func list<Element>(_ reading: Reading<Page<Element>>, for call: Call) throws(Problem) -> Answer {
        var answer = try Answer.json(reading.value, position: reading.position)
        answer.headers[.link] = reading.value.next.map { link(call, after: $0) }
        return answer
    }

    /// A page of a list that is numbered, the newest first.
    ///
    /// - Parameters:
    ///   - data: What is on the page.
    ///   - next: The number of its last element when there are more.
    ///   - call: What asked for it.
    /// - Returns: The page.
    /// - Throws: 500 for what is no JSON.
    func list(_ data: [some Encodable], next: Int64?, for call: Call) throws(Problem) -> Answer {
        let next = next.map(String.init)
        var answer = try Answer.json(NumberedPage(data: data, next: next))
        answer.headers[.link] = next.map { link(call, after: $0) }
        return answer
    }

    /// Below which number a page of such a list begins; `nil` for the first.
    ///
    /// The number alone: it means the same in every list, since each shows only what its reader may see.
    func before(_ call: Call) throws(Problem) -> Int64? {
        guard let text = call.query["after"] else { return nil }
        guard let number = Int64(text), number > 0 else { throw .badCursor }
        return number
    }

    func link(_ call: Call, after next: String) -> String {
        let others = call.query.names.filter { $0 != "after" && $0 != "min-position" }
        let query = others.compactMap { name in call.query[name].map { "\(name)=\(PercentEncoding.encode($0))" } }
        let target = (query + ["after=" + PercentEncoding.encode(next)]).joined(separator: "&")
        return "<\(call.path)?\(target)>; rel=\"next\""
    }
}

private struct NumberedPage<Element: Encodable>: Encodable {
    var data: [Element]
    @Nullable var next: String?
}
