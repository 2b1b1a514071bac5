#pragma once
#include <limits.h>
#include <stddef.h>
#include <zlib.h>

/// More bytes than `pack` ever writes for so many.
static inline size_t packed_bound(size_t count) {
    return compressBound((uLong)count) + 64;
}

/// Writes bytes as one member of a gzip file, which is the same for the same bytes; gives back how many that are, or 0
/// when it cannot be done.
static inline size_t pack(const unsigned char *bytes, size_t count, unsigned char *packed, size_t capacity) {
    z_stream stream = {0};
    size_t written = 0;
    if (count > UINT_MAX || capacity > UINT_MAX) return 0;
    // A window of 32 KiB, and 16 more bits for "with the header of gzip".
    if (deflateInit2(&stream, 5, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)count;
    stream.next_out = packed;
    stream.avail_out = (uInt)capacity;
    if (deflate(&stream, Z_FINISH) == Z_STREAM_END) written = capacity - stream.avail_out;
    deflateEnd(&stream);
    return written;
}
