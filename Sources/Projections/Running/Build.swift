/// One build of one shape of a read model: a schema of its own, behind the view that the queries read.
struct Build: Sendable, Hashable {
    let name: String
    let shape: Int
    let number: Int
    /// Whether it is the one that is folded anew, to take the place of the one with the same number.
    var isAnew = false

    /// The schema with its table `record`.
    var schema: String { "rm_\(name)_v\(shape)_b\(number)" + (isAnew ? "_anew" : "") }

    /// What is folded to take its place.
    var anew: Build {
        var build = self
        build.isAnew = true
        return build
    }

    /// The leased work that keeps one slice of it fed.
    func stream(slice: Int) -> String { "projection-\(name).v\(shape).b\(number).s\(slice)" }

    /// The kind of leased work that keeps it fed.
    var workKind: String { "projection.\(name).v\(shape)" }

    /// The leased work of making it.
    var rebuildStream: String { "rebuild-\(name).v\(shape).b\(number)" }

    init(name: String, shape: Int, number: Int) {
        self.name = name
        self.shape = shape
        self.number = number
    }

    /// Reads the id of a stream of leased work, `<name>.v<shape>.b<build>.s<slice>`; `nil` for anything else.
    static func parse(_ id: String) -> (build: Build, slice: Int)? {
        let parts = id.split(separator: ".")
        guard parts.count == 4, parts[3].first == "s", let slice = Int(parts[3].dropFirst()),
            let build = Build(parsing: parts.dropLast())
        else { return nil }
        return (build, slice)
    }

    /// Reads `<name>.v<shape>.b<build>`; `nil` for anything else.
    init?(parsing parts: [Substring]) {
        guard parts.count == 3, parts[1].first == "v", parts[2].first == "b",
            let shape = Int(parts[1].dropFirst()), let number = Int(parts[2].dropFirst())
        else { return nil }
        self.init(name: String(parts[0]), shape: shape, number: number)
    }
}
