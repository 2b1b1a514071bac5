#pragma once
#include <stddef.h>

/// A file that tests alone have, carried inside them as `CAssets` carries those of `schema/`.
struct test_asset {
    const char *path;
    const unsigned char *bytes;
    size_t size;
};

/// How many files there are.
size_t test_asset_count(void);

/// One of them; `index` must be below `test_asset_count()`.
struct test_asset test_asset_at(size_t index);
