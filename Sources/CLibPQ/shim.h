#pragma once
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/// A GNU function. It is declared here, because _GNU_SOURCE would change what other headers define, and this module would
/// then disagree with Swift's own Glibc module.
int pthread_setname_np(pthread_t thread, const char *name);

/// Names the calling thread.
static inline void name_this_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}

/// Drops the notices of a connection, for they may carry values and libpq would print them to standard error, but for
/// the one that says good-bye: that sets the `bool` it is given.
static inline void hear_notice(void *good_bye, const PGresult *result) {
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    // A server that shuts down at once only warns, with a code of class 57P.
    if ((severity && (!strcmp(severity, "FATAL") || !strcmp(severity, "PANIC"))) || (code && !strncmp(code, "57P", 3)))
        *(bool *)good_bye = true;
}

/// A copy that `free_text` frees.
static inline const char *duplicate_text(const char *text) {
    return strdup(text);
}

static inline void free_text(const char *text) {
    free((void *)text);
}
