#include "TestAssets.h"

static const unsigned char readmodels_renames_v1[] = {
#embed "../ProjectionsTests/Added/renames.v1.sql"
};

#define ASSET(path, bytes) {path, bytes, sizeof bytes}

static const struct test_asset assets[] = {
    ASSET("Tests/ProjectionsTests/Added/renames.v1.sql", readmodels_renames_v1),
};

size_t test_asset_count(void) { return sizeof assets / sizeof assets[0]; }

struct test_asset test_asset_at(size_t index) { return assets[index]; }
