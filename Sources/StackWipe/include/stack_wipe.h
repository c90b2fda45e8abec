#ifndef STACK_WIPE_H
#define STACK_WIPE_H

/* Overwrites the 32 KiB of the stack below its caller: what calls that have returned have left there. */
void stack_wipe(void);

#endif
