#include "CAssets.h"

static const unsigned char schema_roles[] = {
#embed "../../schema/roles.sql"
};

#define ASSET(path, name) { path, name, sizeof name }

static const struct asset assets[] = {
    ASSET("schema/roles.sql", schema_roles),
};

size_t asset_count(void) { return sizeof assets / sizeof assets[0]; }

struct asset asset_at(size_t index) { return assets[index]; }
