package import Commands
package import Domain
internal import Kernel
package import Projections

extension Backend {
    /// The API over the plane's own parts; the events and what the plane tells about itself are still to be set.
    package init(catalogue: Catalogue, desk: CommandDesk, models: ReadModels) {
        self.init(catalogue: catalogue)
        commands = CommandDoor(desk)
        webhooks = WebhookDoor(desk)
        reads = ReadDoor(models)
    }
}

extension CommandDoor {
    /// Commands as the desk takes them.
    package init(_ desk: CommandDesk) {
        onboard = { name, slug, price, envelope throws(CommandError) in
            try await desk.onboard(name: name, slug: slug, price: price, by: envelope)
        }
        createOrganization = { name, slug, envelope throws(CommandError) in
            try await desk.createOrganization(name: name, slug: slug, by: envelope)
        }
        renameOrganization = { organization, name, envelope throws(CommandError) in
            try await desk.renameOrganization(organization, to: name, by: envelope)
        }
        requestInstance = { organization, name, price, envelope throws(CommandError) in
            try await desk.requestInstance(of: organization, name: name, price: price, by: envelope)
        }
        retryInstance = { instance, envelope throws(CommandError) in
            try await desk.retryInstance(instance, by: envelope)
        }
        stopInstance = { instance, envelope throws(CommandError) in
            try await desk.stopInstance(instance, by: envelope)
        }
        startInstance = { instance, envelope throws(CommandError) in
            try await desk.startInstance(instance, by: envelope)
        }
        pauseSubscription = { subscription, envelope throws(CommandError) in
            try await desk.pauseSubscription(subscription, by: envelope)
        }
        resumeSubscription = { subscription, envelope throws(CommandError) in
            try await desk.resumeSubscription(subscription, by: envelope)
        }
        terminateInstance = { instance, envelope throws(CommandError) in
            try await desk.terminateInstance(instance, by: envelope)
        }
        cancelSubscription = { subscription, immediately, envelope throws(CommandError) in
            try await desk.cancelSubscription(subscription, immediately: immediately, by: envelope)
        }
        deleteOrganization = { organization, envelope throws(CommandError) in
            try await desk.deleteOrganization(organization, by: envelope)
        }
        changePlan = { instance, price, direction, envelope throws(CommandError) in
            try await desk.changePlan(of: instance, to: price, direction, by: envelope)
        }
        changeSubscriptionPlan = { subscription, price, envelope throws(CommandError) in
            try await desk.changePlan(of: subscription, to: price, by: envelope)
        }
        cancelScheduledChange = { instance, envelope throws(CommandError) in
            try await desk.cancelScheduledChange(of: instance, by: envelope)
        }
        rotateCredentials = { instance, envelope throws(CommandError) in
            try await desk.rotateCredentials(of: instance, by: envelope)
        }
        changeRelease = { instance, version, strategy, envelope throws(CommandError) in
            try await desk.changeRelease(of: instance, to: version, strategy, by: envelope)
        }
        registerRelease = { release, makeDefault, envelope throws(CommandError) in
            try await desk.registerRelease(release, makeDefault: makeDefault, by: envelope)
        }
        setDefaultRelease = { version, envelope throws(CommandError) in
            try await desk.setDefaultRelease(version: version, by: envelope)
        }
        changeReleaseStatus = { version, status, envelope throws(CommandError) in
            try await desk.changeReleaseStatus(version: version, to: status, by: envelope)
        }
        startRollout = { wish, envelope throws(CommandError) in try await desk.startRollout(wish, by: envelope) }
        steerRollout = { rollout, word, reason, envelope throws(CommandError) in
            try await desk.steerRollout(rollout, word, reason: reason, by: envelope)
        }
        issueUserKey = { user, wish, envelope throws(CommandError) in
            try await desk.issueUserKey(for: user, scopes: wish.scopes, expiresAt: wish.expiresAt, by: envelope)
        }
        issueOrganizationKey = { organization, role, wish, envelope throws(CommandError) in
            try await desk.issueOrganizationKey(
                for: organization,
                role: role,
                scopes: wish.scopes,
                expiresAt: wish.expiresAt,
                by: envelope
            )
        }
        revokeUserKey = { user, key, envelope throws(CommandError) in
            try await desk.revokeUserKey(key, of: user, by: envelope)
        }
        revokeOrganizationKey = { organization, key, envelope throws(CommandError) in
            try await desk.revokeOrganizationKey(key, of: organization, by: envelope)
        }
        belong(desk)
        slugAvailability = { slug throws(CommandError) in try await desk.slugAvailability(slug) }
    }
}

extension CommandDoor {
    /// Who belongs to what, and who they are.
    private mutating func belong(_ desk: CommandDesk) {
        changeRole = { organization, user, role, envelope throws(CommandError) in
            try await desk.changeRole(of: user, in: organization, to: role, by: envelope)
        }
        removeMember = { organization, user, envelope throws(CommandError) in
            try await desk.removeMember(user, of: organization, by: envelope)
        }
        transferOrganization = { organization, user, envelope throws(CommandError) in
            try await desk.transferOrganization(organization, to: user, by: envelope)
        }
        invite = { organization, role, days, envelope in
            do throws(CommandError) {
                let span = Duration.seconds(days * 86_400)
                return .success(try await desk.invite(to: organization, as: role, for: span, by: envelope))
            } catch { return .failure(error) }
        }
        revokeInvitation = { organization, invitation, envelope in
            do throws(CommandError) {
                return .success(try await desk.revokeInvitation(invitation, of: organization, by: envelope))
            } catch { return .failure(error) }
        }
        acceptInvitation = { token, envelope in
            do throws(CommandError) {
                return .success(try await desk.acceptInvitation(token, by: envelope))
            } catch { return .failure(error) }
        }
        suspendOrganization = { organization, reason, envelope throws(CommandError) in
            try await desk.suspendOrganization(organization, because: reason, by: envelope)
        }
        resumeOrganization = { organization, reason, envelope throws(CommandError) in
            try await desk.resumeOrganization(organization, because: reason, by: envelope)
        }
        updateProfile = { user, first, last, envelope throws(CommandError) in
            try await desk.updateProfile(of: user, firstName: first, lastName: last, by: envelope)
        }
        isRegistered = { user throws(CommandError) in try await desk.isRegistered(user) }
        person = { identity throws(CommandError) in
            try await desk.person(
                issuer: identity.issuer,
                subject: identity.subject,
                email: identity.email,
                firstName: identity.firstName,
                lastName: identity.lastName
            )
        }
        profile = { user throws(CommandError) in try await desk.profile(of: user) }
        issuePlatformKey = { role, wish, envelope throws(CommandError) in
            try await desk.issuePlatformKey(role, scopes: wish.scopes, expiresAt: wish.expiresAt, by: envelope)
        }
        revokePlatformKey = { key, envelope throws(CommandError) in
            try await desk.revokePlatformKey(key, by: envelope)
        }
    }
}

extension ReadDoor {
    /// Questions as the read models answer them.
    package init(_ models: ReadModels) {
        wait = { position, time, used throws(ReadError) in
            try await models.wait(for: position, timeout: time, models: used)
        }
        position = { () throws(ReadError) in try await models.position() }
        role = { user, organization throws(ReadError) in try await models.role(of: user, in: organization) }
        outlived = { organization, user throws(ReadError) in try await models.outlived(organization, by: user) }
        key = { id throws(ReadError) in try await models.key(id) }
        keys = { owner, page throws(ReadError) in try await models.keys(of: owner, page: page) }
        organization = { id throws(ReadError) in try await models.organization(id) }
        organizations = { user, page throws(ReadError) in try await models.organizations(of: user, page: page) }
        members = { organization, page throws(ReadError) in try await models.members(of: organization, page: page) }
        invitations = { organization, page throws(ReadError) in
            try await models.invitations(of: organization, page: page)
        }
        instance = { id throws(ReadError) in try await models.instance(id) }
        instances = { organization, page throws(ReadError) in
            try await models.instances(of: organization, page: page)
        }
        history = { instance, page throws(ReadError) in try await models.history(of: instance, page: page) }
        subscription = { id throws(ReadError) in try await models.subscription(id) }
        operation = { id throws(ReadError) in try await models.operation(id) }
        operations = { organizations, status, page throws(ReadError) in
            try await models.operations(of: organizations, status: status, page: page)
        }
        auditLog = { organization, actor, page throws(ReadError) in
            try await models.auditLog(of: organization, by: actor, page: page)
        }
        databases = { status, page throws(ReadError) in try await models.databases(status, page: page) }
        releases = { () throws(ReadError) in try await models.releases() }
        rollout = { id throws(ReadError) in try await models.rollout(id) }
        rollouts = { page throws(ReadError) in try await models.rollouts(page: page) }
        projections = { () throws(ReadError) in try await models.projections() }
        routes = { position throws(ReadError) in try await models.routes(afterPassing: position) }
    }
}

extension CommandDoor {
    /// Takes erasures too.
    package mutating func open(_ erasures: Erasures) {
        eraseSubject = { subject, reason, envelope throws(CommandError) in
            try await erasures.erase(subject: subject, reason: reason, by: envelope)
        }
        erasePositions = { positions, reason, envelope throws(CommandError) in
            try await erasures.erase(positions: positions, reason: reason, by: envelope)
        }
    }
}

extension ReadDoor {
    /// Answers what was, too.
    package mutating func open(_ past: PastViews) {
        instancesThen = { id, moment, page in
            do throws(ReadError) {
                return .success(try await past.instances(of: id, at: moment, page: page))
            } catch { return .failure(error) }
        }
        organizationsThen = { moment, page in
            do throws(ReadError) {
                return .success(try await past.organizations(at: moment, page: page))
            } catch { return .failure(error) }
        }
        organizationThen = { id, moment throws(ReadError) in try await past.organization(id, at: moment) }
        instanceThen = { id, moment throws(ReadError) in try await past.instance(id, at: moment) }
        subscriptionThen = { id, moment throws(ReadError) in try await past.subscription(id, at: moment) }
    }
}
