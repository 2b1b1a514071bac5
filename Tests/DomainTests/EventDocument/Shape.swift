/// What the JSON of a value looks like, as far as its Swift type says.
indirect enum Shape: Equatable {
    /// Something that has no parts, by what people call it.
    case plain(String)
    /// One of these texts.
    case choice([String])
    case list(Shape)
    /// An object whose members all look alike.
    case map(Shape)
    case object(name: String, [Field])

    struct Field: Equatable {
        var name: String
        var shape: Shape
        var isOptional: Bool
    }

    /// How it is called in a table.
    var title: String {
        switch self {
        case .plain(let name): name
        case .choice(let texts): texts.map { "`\($0)`" }.joined(separator: " \\| ")
        case .list(let element): "list of \(element.title)"
        case .map(let value): "map of string to \(value.title)"
        case .object(let name, _): "[\(name)](#\(name.lowercased()))"
        }
    }

    /// The objects inside it, each before what it contains.
    var objects: [(name: String, fields: [Field])] {
        switch self {
        case .plain, .choice: []
        case .list(let inner), .map(let inner): inner.objects
        case .object(let name, let fields): [(name, fields)] + fields.flatMap(\.shape.objects)
        }
    }
}
