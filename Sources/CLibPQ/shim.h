#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/// Names the calling thread; Glibc's module hides the GNU function.
static inline void name_this_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}

/// Drops the notices of a connection: they may carry values, and libpq would print them to standard error.
static inline void ignore_notice(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}

/// A copy that `free_text` frees.
static inline const char *duplicate_text(const char *text) {
    return strdup(text);
}

static inline void free_text(const char *text) {
    free((void *)text);
}
