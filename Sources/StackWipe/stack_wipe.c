#include "stack_wipe.h"

#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>

enum { WIPE_UNKNOWN, WIPE_SSE, WIPE_AVX, WIPE_AVX512 };

/* What processor and system have, asked once: the question is slow in a virtual machine. */
static int kind_of_registers(void) {
    static int known = WIPE_UNKNOWN;
    int kind = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (kind != WIPE_UNKNOWN) return kind;
    unsigned int a, b, c, d, low = 0, high;
    kind = WIPE_SSE;
    if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) && (c & bit_AVX)) {
        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        if ((low & 0x06) == 0x06) kind = WIPE_AVX;
        if ((low & 0xe6) == 0xe6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX512F)) kind = WIPE_AVX512;
    }
    __atomic_store_n(&known, kind, __ATOMIC_RELAXED);
    return kind;
}

/* What copies memory uses them, and nobody clears them: a core dump has those of every thread. A call may change them all. */
__attribute__((target("avx512f"), noinline)) static void wipe_registers_of_avx512(void) {
    __asm__ volatile("vzeroall\n\t"
                     "vpxorq %%zmm16, %%zmm16, %%zmm16\n\tvpxorq %%zmm17, %%zmm17, %%zmm17\n\t"
                     "vpxorq %%zmm18, %%zmm18, %%zmm18\n\tvpxorq %%zmm19, %%zmm19, %%zmm19\n\t"
                     "vpxorq %%zmm20, %%zmm20, %%zmm20\n\tvpxorq %%zmm21, %%zmm21, %%zmm21\n\t"
                     "vpxorq %%zmm22, %%zmm22, %%zmm22\n\tvpxorq %%zmm23, %%zmm23, %%zmm23\n\t"
                     "vpxorq %%zmm24, %%zmm24, %%zmm24\n\tvpxorq %%zmm25, %%zmm25, %%zmm25\n\t"
                     "vpxorq %%zmm26, %%zmm26, %%zmm26\n\tvpxorq %%zmm27, %%zmm27, %%zmm27\n\t"
                     "vpxorq %%zmm28, %%zmm28, %%zmm28\n\tvpxorq %%zmm29, %%zmm29, %%zmm29\n\t"
                     "vpxorq %%zmm30, %%zmm30, %%zmm30\n\tvpxorq %%zmm31, %%zmm31, %%zmm31" ::
                         : "memory");
}

__attribute__((target("avx"), noinline)) static void wipe_registers_of_avx(void) {
    __asm__ volatile("vzeroall" ::: "memory");
}

__attribute__((noinline)) static void wipe_registers_of_sse(void) {
    __asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tpxor %%xmm2, %%xmm2\n\tpxor %%xmm3, %%xmm3\n\t"
                     "pxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5\n\tpxor %%xmm6, %%xmm6\n\tpxor %%xmm7, %%xmm7\n\t"
                     "pxor %%xmm8, %%xmm8\n\tpxor %%xmm9, %%xmm9\n\tpxor %%xmm10, %%xmm10\n\tpxor %%xmm11, %%xmm11\n\t"
                     "pxor %%xmm12, %%xmm12\n\tpxor %%xmm13, %%xmm13\n\tpxor %%xmm14, %%xmm14\n\tpxor %%xmm15, %%xmm15" ::
                         : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                           "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static void wipe_registers(void) {
    switch (kind_of_registers()) {
    case WIPE_AVX512: wipe_registers_of_avx512(); break;
    case WIPE_AVX: wipe_registers_of_avx(); break;
    default: wipe_registers_of_sse();
    }
}

#else

static void wipe_registers(void) {}

#endif

__attribute__((noinline)) void stack_wipe(void) {
    unsigned char space[32 * 1024];
    memset(space, 0, sizeof space);
    /* Tells the compiler that somebody reads it. */
    __asm__ volatile("" : : "r"(space) : "memory");
    wipe_registers();
}
