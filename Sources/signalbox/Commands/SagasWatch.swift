internal import ArgumentParser
internal import Glibc
internal import Kernel
internal import Sagas

extension SagasCommand {
    /// Looks on.
    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look on while a saga goes on, until it ends; without an id, on all that have something to do.",
            discussion: """
                On a terminal the picture is drawn anew whenever something changes; elsewhere each change is a line.
                """
        )

        @Argument(help: "The saga's id.")
        var id: String?

        @OptionGroup var desk: SagaDesk

        func run() async throws {
            let screen = Screen()
            guard let id else { return try await watchAll(screen) }
            let saga = try SagaDesk.id(id)
            var seen: Int64 = 0
            try await desk.follow(saga) { view in
                if desk.reach.json {
                    Terminal.say(String(decoding: try JSON.encode(view), as: UTF8.self))
                } else if screen.isTerminal {
                    screen.draw(SagaPicture(view, at: IDSource.system.now()).lines)
                } else {
                    for entry in view.timeline where entry.version > seen { Terminal.say(Self.line(entry)) }
                    Terminal.say("next: \(view.next.step ?? view.next.action.rawValue): \(view.next.why)")
                }
                seen = view.version
                return view.next.action != .nothing
            }
        }

        private func watchAll(_ screen: Screen) async throws {
            var shown = ""
            while !Task.isCancelled {
                let page = try await desk.list(SagaWish(), limit: 200)
                let text = desk.reach.json ? try JSON.pretty(page) : List.table(page, at: IDSource.system.now()).text
                if screen.isTerminal, !desk.reach.json {
                    screen.draw(text.split(separator: "\n").map(String.init))
                } else if text != shown {
                    Terminal.say(text)
                }
                shown = text
                try await Task.sleep(for: .seconds(1))
            }
        }

        private static func line(_ entry: SagaView.Entry) -> String {
            let what = ["step", "code", "message", "condition", "verb", "reason"].compactMap { entry.data?[$0]?.string }
            return Table.printable("\(entry.at)  \(entry.type)  \(what.joined(separator: "  "))")
        }
    }
}

/// The terminal as a page that is drawn again and again.
private struct Screen {
    let isTerminal = isatty(1) == 1

    /// Draws from the top, without a flicker, and clears what is left of the page before.
    func draw(_ lines: [String]) {
        let page = lines.map { $0 + "\u{1B}[K\n" }.joined()
        Terminal.write(Array(("\u{1B}[H" + page + "\u{1B}[J").utf8))
    }
}
