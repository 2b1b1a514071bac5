import Glibc
let DUR = getenv("DUR").map { String(cString: $0) } ?? "commit"
