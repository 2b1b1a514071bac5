package import Platform

extension World {
    /// Somebody who has nothing to do with any saga here.
    package static let stranger = Ownership(organization: "9", instance: "99", generation: 1, saga: "stranger")

    /// Puts another's database, role, job, variable and subscription there.
    package func invite() {
        change { state in
            state.databases["railzway_org_9"] = Self.stranger
            state.roles["railzway_user_9"] = (Self.stranger, Secret("strange"))
            state.isolated.insert("railzway_org_9")
            state.jobs["railzway-org-9"] = Job(
                owner: Self.stranger,
                index: 7,
                version: 0,
                isStopped: false,
                environment: [:]
            )
            state.secrets["railzway-org-9"] = Variable(
                owner: Self.stranger,
                index: 8,
                items: ["db_password": Secret("strange")]
            )
            state.customers.append("sbx1:org:9:customer")
            state.subscriptions.append(Subscription(id: "sub-9", key: "sbx1:sub:9:g1:create", status: .active))
        }
    }

    /// What was done to the stranger's belongings, if they were ever here.
    var harm: [String] {
        read { state in
            guard state.customers.contains("sbx1:org:9:customer") else { return [] }
            var wrong: [String] = []
            if state.databases["railzway_org_9"] != Self.stranger { wrong.append("a stranger's database is gone") }
            if state.roles["railzway_user_9"]?.password != Secret("strange") {
                wrong.append("a stranger's role was touched")
            }
            if state.jobs["railzway-org-9"]?.index != 7 { wrong.append("a stranger's job was touched") }
            if state.secrets["railzway-org-9"]?.index != 8 { wrong.append("a stranger's variable was touched") }
            if !state.subscriptions.contains(where: { $0.id == "sub-9" && $0.status == .active }) {
                wrong.append("a stranger's subscription was touched")
            }
            return wrong
        }
    }
}
