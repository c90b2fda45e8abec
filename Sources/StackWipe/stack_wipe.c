#include "stack_wipe.h"

#include <string.h>

__attribute__((noinline)) void stack_wipe(void) {
    unsigned char space[32 * 1024];
    memset(space, 0, sizeof space);
    /* Tells the compiler that somebody reads it. */
    __asm__ volatile("" : : "r"(space) : "memory");
}
