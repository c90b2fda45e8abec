#ifndef STACK_WIPE_H
#define STACK_WIPE_H

/*
 * Overwrites the 32 KiB of the stack below its caller: what calls that have returned have left there. On x86-64 the vector registers,
 * too, in which memory is copied.
 */
void stack_wipe(void);

#endif
