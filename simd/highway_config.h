// What Highway is told before its headers are included: which instruction sets the kernels are compiled for. Every
// kernel file includes this first.
//
// On x86-64: baseline (EMU128), SSE4, AVX2, AVX3 (AVX-512) and AVX3_DL (with VPOPCNTDQ). SSSE3 alone is not worth
// its compile time; the scalable vectors of SVE and RVV cannot be held in arrays, as row_tile-inl.h does, and use NEON.
#ifndef VARVE_SIMD_HIGHWAY_CONFIG_H_
#define VARVE_SIMD_HIGHWAY_CONFIG_H_

#define HWY_WANT_AVX3_DL
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#endif  // VARVE_SIMD_HIGHWAY_CONFIG_H_
