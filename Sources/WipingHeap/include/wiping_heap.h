#ifndef WIPING_HEAP_H
#define WIPING_HEAP_H

/*
 * A program that links this overwrites all memory that it frees, whoever frees it: Swift's objects and texts, and the buffers of
 * libcurl, OpenSSL, libpq and librabbitmq. On Linux with glibc; elsewhere nothing happens.
 */

/* Whether it does. */
int wiping_heap_is_in_force(void);

#endif
