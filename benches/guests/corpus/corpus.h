/* Programs that the rows of the threaded engine are chosen by (`cargo xtask rows`): small, of many
   kinds, written for this. None is measured, and `unseen.c` is not among them. Each function does
   its work so many times and returns a sum over it. */
#ifndef CORPUS_H
#define CORPUS_H

#include <stddef.h>
#include <stdint.h>

#define PROGRAMS(X)                                                                              \
  X(quick_sort) X(merge_sort) X(shell_sort) X(searches)                                          \
  X(lists) X(hash_tables) X(trees) X(queues)                                                     \
  X(strings) X(words) X(formats) X(number_text)                                                   \
  X(json) X(tlv) X(sections) X(markup)                                                           \
  X(checks) X(base64) X(varints) X(lempel_ziv) X(huffman)                                        \
  X(big_numbers) X(montgomery) X(field25519) X(poly1305)                                         \
  X(chacha) X(aes_bytes) X(des_like) X(xtea) X(siphash)                                          \
  X(sha256_rolled) X(sha512) X(blake2s) X(md5) X(keccak)                                         \
  X(filters) X(matrices) X(cosines) X(fixed_point)                                               \
  X(copies) X(compares) X(machine) X(states) X(recursion) X(queens) X(divisions) X(bits)

#define DECLARED(name) uint32_t name(uint32_t rounds);
PROGRAMS(DECLARED)

static inline uint32_t left(uint32_t x, unsigned by) { return x << by | x >> (32 - by); }
static inline uint32_t right(uint32_t x, unsigned by) { return x >> by | x << (32 - by); }
static inline uint32_t next_random(uint32_t x) { return x * 1664525u + 1013904223u; }

static inline void fill(void *to, size_t len, uint32_t seed) {
  uint8_t *octets = to;
  for (size_t i = 0; i < len; i++) octets[i] = (uint8_t)((seed = next_random(seed)) >> 24);
}

static inline uint32_t sum_of(const void *from, size_t len) {
  const uint8_t *octets = from;
  uint32_t sum = 1;
  for (size_t i = 0; i < len; i++) sum = sum * 31 + octets[i];
  return sum | 1;
}

#endif
