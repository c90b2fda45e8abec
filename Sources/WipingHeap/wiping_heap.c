#include "wiping_heap.h"

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define WIPING_HEAP_SANITIZED 1
#endif
#endif

#if defined(__linux__)
/* Says whether this is glibc. */
#include <features.h>
#endif

#if defined(__GLIBC__) && !defined(WIPING_HEAP_SANITIZED)

#include <malloc.h>
#include <string.h>

/* What glibc calls its own functions by, for those who take their place. */
extern void *__libc_malloc(size_t size);
extern void __libc_free(void *block);

static void wipe(void *bytes, size_t count) {
    memset(bytes, 0, count);
    /* Tells the compiler that somebody reads it. */
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

void free(void *block) {
    if (block == NULL) return;
    wipe(block, malloc_usable_size(block));
    __libc_free(block);
}

/* Never moved by glibc, which would free the old place as it is, nor cut, for the rest would be free as it is. */
void *realloc(void *block, size_t size) {
    if (block == NULL) return __libc_malloc(size);
    if (size == 0) {
        free(block);
        return NULL;
    }
    size_t room = malloc_usable_size(block);
    /* Kept where it is, unless most of it would be kept for nothing. */
    if (size <= room && size >= room / 2) return block;
    void *moved = __libc_malloc(size);
    if (moved == NULL) return NULL;
    memcpy(moved, block, size < room ? size : room);
    free(block);
    return moved;
}

int wiping_heap_is_in_force(void) {
    return 1;
}

#else

int wiping_heap_is_in_force(void) {
    return 0;
}

#endif
