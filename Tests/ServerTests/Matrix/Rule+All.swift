import Domain
import HTTPTypes
@testable import Server

extension Rule {
    /// The rule of each route, by the name of its operation.
    static let all: [String: Rule] = open.merging(reads) { $1 }.merging(commands) { $1 }.merging(platform) { $1 }
        .merging(older) { $1 }

    private static let open: [String: Rule] = [
        "alive": Rule(.everybody), "ready": Rule(.everybody), "healthy": Rule(.everybody),
        "metrics": Rule(.everybody), "describe": Rule(.everybody), "document": Rule(.everybody),
        "beginSignIn": Rule(.everybody), "finishSignIn": Rule(.everybody),
        "listPlans": Rule(.everybody), "listPrices": Rule(.everybody),
        "showCheckpoint": Rule(.everybody), "showVerifierKey": Rule(.everybody),
        "listVerifierKeys": Rule(.everybody), "showTile": Rule(.everybody),
        "edgeConfiguration": Rule(.edge),
    ]

    private static let reads: [String: Rule] = [
        "showCaller": Rule(.signedIn), "showSession": Rule(.signedIn), "followOrganization": Rule(.overseers),
        "followInstance": Rule(.members),
        "listInvitations": Rule(.overseers), "listWebhooks": Rule(.overseers),
        "listDeliveries": Rule(.overseers), "slugAvailability": Rule(.signedIn),
        "listOrganizations": Rule(.signedIn), "listMyOrganizations": Rule(.signedIn),
        "listMyKeys": Rule(.people),
        "showOrganization": Rule(.members), "listMembers": Rule(.members), "listInstances": Rule(.members),
        "showInstance": Rule(.members), "listInstanceHistory": Rule(.members), "showSubscription": Rule(.members),
        "showOperation": Rule(.members), "followOperation": Rule(.members),
        "checkInstance": Rule(.members), "exportOrganization": Rule(.readers([.owner, .auditor])),
        "listOperations": Rule(.members, query: "organization={organization}"),
        "listKeys": Rule(.overseers), "listOrganizationRefusals": Rule(.overseers),
        "listOrganizationAuditLog": Rule(.overseers),
        "listEvents": Rule(.overseers, query: "organization={organization}"),
        "followEvents": Rule(.overseers, query: "organization={organization}"),
        "exportEvents": Rule(.overseers, query: "organization={organization}"),
        "showEvent": Rule(.overseers), "proveEvent": Rule(.overseers),
        "listStreamHistory": Rule(.overseers), "showStreamState": Rule(.overseers),
        "compareStreamStates": Rule(.overseers),
    ]

    private static let commands: [String: Rule] = [
        "onboard": Rule(
            .people,
            body: #"{"organization":{"name":"Third","slug":"third"},"priceId":"team-monthly"}"#
        ),
        "endSession": Rule(.signedIn),
        "createOrganization": Rule(.people, body: #"{"name":"Third","slug":"third"}"#),
        "updateProfile": Rule(.people, body: #"{"firstName":"Ann"}"#, headers: [.ifMatch: "*"]),
        "changeMemberRole": Rule(.administrators, body: #"{"role":"viewer"}"#), "removeMember": Rule(.administrators),
        "registerWebhook": Rule(.administrators, body: #"{"url":"https://hooks.example/a"}"#),
        "removeWebhook": Rule(.administrators), "enableWebhook": Rule(.administrators),
        "disableWebhook": Rule(.administrators), "rotateWebhookSecret": Rule(.administrators),
        "redeliver": Rule(.administrators),
        "invite": Rule(.administrators, body: #"{"role":"viewer"}"#), "revokeInvitation": Rule(.administrators),
        "acceptInvitation": Rule(.holders),
        "transferOrganization": Rule(.owners, body: #"{"userId":"{user}"}"#),
        "issueMyKey": Rule(.people), "revokeMyKey": Rule(.people),
        "renameOrganization": Rule(.administrators, headers: [.ifMatch: "*"]),
        "issueKey": Rule(.administrators, body: #"{"role":"viewer","scopes":["read"]}"#),
        "revokeKey": Rule(.administrators),
        "deleteOrganization": Rule(.owners),
        "requestInstance": Rule(.developers, body: #"{"name":"two","priceId":"team-monthly"}"#),
        "retryInstance": Rule(.developers), "stopInstance": Rule(.developers), "startInstance": Rule(.developers),
        "terminateInstance": Rule(.developers), "rotateCredentials": Rule(.developers),
        "deployInstance": Rule(.developers), "upgradeInstance": Rule(.developers),
        "downgradeInstance": Rule(.developers), "cancelScheduledChange": Rule(.developers),
        "changePlan": Rule(.developers), "pauseSubscription": Rule(.developers),
        "resumeSubscription": Rule(.developers), "cancelSubscription": Rule(.developers),
    ]

    private static let older: [String: Rule] = [
        "olderPrices": Rule(.everybody), "olderAmounts": Rule(.everybody),
        "olderOrganizations": Rule(.people), "olderProfile": Rule(.people),
        "olderUpdateProfile": Rule(.people, body: #"{"first_name":"Ann","last_name":""}"#),
        "olderSlug": Rule(.signedIn, query: "namespace=free"),
        "olderOnboard": Rule(
            .people,
            body: #"{"org_name":"Third","org_slug":"third","price_id":"team-monthly"}"#
        ),
        "olderInstance": Rule(.members, query: "org_id={organization}"),
        "olderStream": Rule(.members, query: "org_id={organization}"),
        "olderStart": Rule(.developers, query: "org_id={organization}"),
        "olderStop": Rule(.developers, query: "org_id={organization}"),
        "olderPause": Rule(.developers, query: "org_id={organization}"),
        "olderDeploy": Rule(.developers, query: "org_id={organization}"),
        "olderUpgrade": Rule(.developers, query: "org_id={organization}", body: #"{"tier":"TEAM"}"#),
        "olderDowngrade": Rule(.developers, query: "org_id={organization}", body: #"{"tier":"STARTER"}"#),
        "olderRollout": Rule(.operators),
    ]

    private static let platform: [String: Rule] = Dictionary(
        [
            "showEntries", "listProjections", "showProjection", "listReleases", "listRebuilds", "followRebuild",
            "listSagas", "showSaga",
            "followSaga", "listTargets", "listResources", "listDeadLetters", "listAuditLog", "listDatabases",
            "listRollouts",
            "showRollout", "listRefusals", "listPlatformKeys",
        ].map { ($0, Rule(.platform)) }
            + [
                "erase", "registerRelease", "setDefaultRelease", "changeReleaseStatus", "startRollout", "pauseRollout",
                "resumeRollout", "abortRollout", "openTarget", "closeTarget", "suspendOrganization",
                "resumeOrganization", "issuePlatformKey",
                "revokePlatformKey",
            ].map { ($0, Rule(.operators)) }
    ) { $1 }
}
