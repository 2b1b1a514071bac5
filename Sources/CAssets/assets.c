#include "CAssets.h"

static const unsigned char schema_roles[] = {
#embed "../../schema/roles.sql"
};
static const unsigned char schema_migrations_V0001_log[] = {
#embed "../../schema/migrations/V0001__log.sql"
};
static const unsigned char schema_migrations_V0002_saga[] = {
#embed "../../schema/migrations/V0002__saga.sql"
};
static const unsigned char schema_migrations_V0003_append[] = {
#embed "../../schema/migrations/V0003__append.sql"
};
static const unsigned char schema_migrations_V0004_transparency[] = {
#embed "../../schema/migrations/V0004__transparency.sql"
};
static const unsigned char schema_migrations_V0005_archive[] = {
#embed "../../schema/migrations/V0005__archive.sql"
};
static const unsigned char schema_migrations_V0006_stream_organization[] = {
#embed "../../schema/migrations/V0006__stream_organization.sql"
};
static const unsigned char schema_migrations_V0007_lanes[] = {
#embed "../../schema/migrations/V0007__lanes.sql"
};
static const unsigned char schema_migrations_V0008_resources[] = {
#embed "../../schema/migrations/V0008__resources.sql"
};
static const unsigned char schema_migrations_V0009_targets[] = {
#embed "../../schema/migrations/V0009__targets.sql"
};
static const unsigned char schema_migrations_V0010_still_streams[] = {
#embed "../../schema/migrations/V0010__still_streams.sql"
};
static const unsigned char schema_migrations_V0011_refusals[] = {
#embed "../../schema/migrations/V0011__refusals.sql"
};
static const unsigned char schema_migrations_V0012_webhooks[] = {
#embed "../../schema/migrations/V0012__webhooks.sql"
};
static const unsigned char schema_migrations_V0013_key_use[] = {
#embed "../../schema/migrations/V0013__key_use.sql"
};
static const unsigned char schema_migrations_V0014_sessions[] = {
#embed "../../schema/migrations/V0014__sessions.sql"
};
static const unsigned char schema_functions_admit[] = {
#embed "../../schema/functions/admit.sql"
};
static const unsigned char schema_functions_append[] = {
#embed "../../schema/functions/append.sql"
};
static const unsigned char schema_functions_append_one[] = {
#embed "../../schema/functions/append_one.sql"
};
static const unsigned char schema_functions_bytes[] = {
#embed "../../schema/functions/bytes.sql"
};
static const unsigned char schema_functions_claim[] = {
#embed "../../schema/functions/claim.sql"
};
static const unsigned char schema_functions_ensure_partitions[] = {
#embed "../../schema/functions/ensure_partitions.sql"
};
static const unsigned char schema_functions_erase[] = {
#embed "../../schema/functions/erase.sql"
};
static const unsigned char schema_functions_erase_recorded[] = {
#embed "../../schema/functions/erase_recorded.sql"
};
static const unsigned char schema_functions_erased_subjects[] = {
#embed "../../schema/functions/erased_subjects.sql"
};
static const unsigned char schema_functions_event_json[] = {
#embed "../../schema/functions/event_json.sql"
};
static const unsigned char schema_functions_forget_commands[] = {
#embed "../../schema/functions/forget_commands.sql"
};
static const unsigned char schema_functions_free_target[] = {
#embed "../../schema/functions/free_target.sql"
};
static const unsigned char schema_functions_hold_target[] = {
#embed "../../schema/functions/hold_target.sql"
};
static const unsigned char schema_functions_holds[] = {
#embed "../../schema/functions/holds.sql"
};
static const unsigned char schema_functions_leaf[] = {
#embed "../../schema/functions/leaf.sql"
};
static const unsigned char schema_functions_partition[] = {
#embed "../../schema/functions/partition.sql"
};
static const unsigned char schema_functions_publish_checkpoint[] = {
#embed "../../schema/functions/publish_checkpoint.sql"
};
static const unsigned char schema_functions_release[] = {
#embed "../../schema/functions/release.sql"
};
static const unsigned char schema_functions_renew[] = {
#embed "../../schema/functions/renew.sql"
};
static const unsigned char schema_functions_restore_work[] = {
#embed "../../schema/functions/restore_work.sql"
};
static const unsigned char schema_functions_seal[] = {
#embed "../../schema/functions/seal.sql"
};
static const unsigned char schema_functions_sealed[] = {
#embed "../../schema/functions/sealed.sql"
};
static const unsigned char schema_functions_settle[] = {
#embed "../../schema/functions/settle.sql"
};
static const unsigned char schema_functions_start_epoch[] = {
#embed "../../schema/functions/start_epoch.sql"
};
static const unsigned char schema_functions_vitals[] = {
#embed "../../schema/functions/vitals.sql"
};
static const unsigned char schema_readmodels_api_keys_v1[] = {
#embed "../../schema/readmodels/api_keys.v1.sql"
};
static const unsigned char schema_readmodels_audit_log_v1[] = {
#embed "../../schema/readmodels/audit_log.v1.sql"
};
static const unsigned char schema_readmodels_control_v1[] = {
#embed "../../schema/readmodels/control.v1.sql"
};
static const unsigned char schema_readmodels_databases_v1[] = {
#embed "../../schema/readmodels/databases.v1.sql"
};
static const unsigned char schema_readmodels_instance_timeline_v1[] = {
#embed "../../schema/readmodels/instance_timeline.v1.sql"
};
static const unsigned char schema_readmodels_instances_v1[] = {
#embed "../../schema/readmodels/instances.v1.sql"
};
static const unsigned char schema_readmodels_invitations_v1[] = {
#embed "../../schema/readmodels/invitations.v1.sql"
};
static const unsigned char schema_readmodels_members_v1[] = {
#embed "../../schema/readmodels/members.v1.sql"
};
static const unsigned char schema_readmodels_operations_v1[] = {
#embed "../../schema/readmodels/operations.v1.sql"
};
static const unsigned char schema_readmodels_organizations_v2[] = {
#embed "../../schema/readmodels/organizations.v2.sql"
};
static const unsigned char schema_readmodels_releases_v1[] = {
#embed "../../schema/readmodels/releases.v1.sql"
};
static const unsigned char schema_readmodels_rollouts_v1[] = {
#embed "../../schema/readmodels/rollouts.v1.sql"
};
static const unsigned char schema_readmodels_routes_v1[] = {
#embed "../../schema/readmodels/routes.v1.sql"
};
static const unsigned char schema_readmodels_subscriptions_v1[] = {
#embed "../../schema/readmodels/subscriptions.v1.sql"
};

static const unsigned char deploy_catalogue[] = {
#embed "../../deploy/catalogue.yaml"
};

#define ASSET(path, name) { path, name, sizeof name }

static const struct asset assets[] = {
    ASSET("deploy/catalogue.yaml", deploy_catalogue),
    ASSET("schema/roles.sql", schema_roles),
    ASSET("schema/migrations/V0001__log.sql", schema_migrations_V0001_log),
    ASSET("schema/migrations/V0002__saga.sql", schema_migrations_V0002_saga),
    ASSET("schema/migrations/V0003__append.sql", schema_migrations_V0003_append),
    ASSET("schema/migrations/V0004__transparency.sql", schema_migrations_V0004_transparency),
    ASSET("schema/migrations/V0005__archive.sql", schema_migrations_V0005_archive),
    ASSET("schema/migrations/V0006__stream_organization.sql", schema_migrations_V0006_stream_organization),
    ASSET("schema/migrations/V0007__lanes.sql", schema_migrations_V0007_lanes),
    ASSET("schema/migrations/V0008__resources.sql", schema_migrations_V0008_resources),
    ASSET("schema/migrations/V0009__targets.sql", schema_migrations_V0009_targets),
    ASSET("schema/migrations/V0010__still_streams.sql", schema_migrations_V0010_still_streams),
    ASSET("schema/migrations/V0011__refusals.sql", schema_migrations_V0011_refusals),
    ASSET("schema/migrations/V0012__webhooks.sql", schema_migrations_V0012_webhooks),
    ASSET("schema/migrations/V0013__key_use.sql", schema_migrations_V0013_key_use),
    ASSET("schema/migrations/V0014__sessions.sql", schema_migrations_V0014_sessions),
    ASSET("schema/functions/admit.sql", schema_functions_admit),
    ASSET("schema/functions/append.sql", schema_functions_append),
    ASSET("schema/functions/append_one.sql", schema_functions_append_one),
    ASSET("schema/functions/bytes.sql", schema_functions_bytes),
    ASSET("schema/functions/claim.sql", schema_functions_claim),
    ASSET("schema/functions/ensure_partitions.sql", schema_functions_ensure_partitions),
    ASSET("schema/functions/erase.sql", schema_functions_erase),
    ASSET("schema/functions/erase_recorded.sql", schema_functions_erase_recorded),
    ASSET("schema/functions/erased_subjects.sql", schema_functions_erased_subjects),
    ASSET("schema/functions/event_json.sql", schema_functions_event_json),
    ASSET("schema/functions/forget_commands.sql", schema_functions_forget_commands),
    ASSET("schema/functions/free_target.sql", schema_functions_free_target),
    ASSET("schema/functions/hold_target.sql", schema_functions_hold_target),
    ASSET("schema/functions/holds.sql", schema_functions_holds),
    ASSET("schema/functions/leaf.sql", schema_functions_leaf),
    ASSET("schema/functions/partition.sql", schema_functions_partition),
    ASSET("schema/functions/publish_checkpoint.sql", schema_functions_publish_checkpoint),
    ASSET("schema/functions/release.sql", schema_functions_release),
    ASSET("schema/functions/renew.sql", schema_functions_renew),
    ASSET("schema/functions/restore_work.sql", schema_functions_restore_work),
    ASSET("schema/functions/seal.sql", schema_functions_seal),
    ASSET("schema/functions/sealed.sql", schema_functions_sealed),
    ASSET("schema/functions/settle.sql", schema_functions_settle),
    ASSET("schema/functions/start_epoch.sql", schema_functions_start_epoch),
    ASSET("schema/functions/vitals.sql", schema_functions_vitals),
    ASSET("schema/readmodels/api_keys.v1.sql", schema_readmodels_api_keys_v1),
    ASSET("schema/readmodels/audit_log.v1.sql", schema_readmodels_audit_log_v1),
    ASSET("schema/readmodels/control.v1.sql", schema_readmodels_control_v1),
    ASSET("schema/readmodels/databases.v1.sql", schema_readmodels_databases_v1),
    ASSET("schema/readmodels/instance_timeline.v1.sql", schema_readmodels_instance_timeline_v1),
    ASSET("schema/readmodels/instances.v1.sql", schema_readmodels_instances_v1),
    ASSET("schema/readmodels/invitations.v1.sql", schema_readmodels_invitations_v1),
    ASSET("schema/readmodels/members.v1.sql", schema_readmodels_members_v1),
    ASSET("schema/readmodels/operations.v1.sql", schema_readmodels_operations_v1),
    ASSET("schema/readmodels/organizations.v2.sql", schema_readmodels_organizations_v2),
    ASSET("schema/readmodels/releases.v1.sql", schema_readmodels_releases_v1),
    ASSET("schema/readmodels/rollouts.v1.sql", schema_readmodels_rollouts_v1),
    ASSET("schema/readmodels/routes.v1.sql", schema_readmodels_routes_v1),
    ASSET("schema/readmodels/subscriptions.v1.sql", schema_readmodels_subscriptions_v1),
};

size_t asset_count(void) { return sizeof assets / sizeof assets[0]; }

struct asset asset_at(size_t index) { return assets[index]; }
