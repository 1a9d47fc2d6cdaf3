/*
 * fuzz.h - what every fuzz target offers.
 *
 * A target is one file fuzz_<name>.c with this function. It takes any bytes,
 * must never crash, leak or run long, and asserts what must hold whatever
 * came in. It keeps nothing from call to call that would change a result,
 * uses no clock, no network and no randomness of its own, so that an input
 * that fails once fails always.
 */
#ifndef FAIRLEAD_TESTS_FUZZ_H
#define FAIRLEAD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Always 0. The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
