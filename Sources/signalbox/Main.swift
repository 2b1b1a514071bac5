@main
struct Signalbox {
    static func main() {}
}
