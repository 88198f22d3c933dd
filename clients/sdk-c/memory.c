/* The functions that compilers call on their own. */
#include <stddef.h>
#include <stdint.h>

/* Copying loops stay loops: they are memcpy. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

/* The machine takes words at any address, so four octets go at a time. (The type claims an
   alignment that it may not have: said otherwise, the compilers would load single octets.) */
typedef uint32_t __attribute__((may_alias)) word;

void *memcpy(void *restrict to, const void *restrict from, size_t len) {
  uint8_t *t = to;
  const uint8_t *f = from;
  for (; len >= 4; len -= 4, t += 4, f += 4) *(word *)t = *(const word *)f;
  for (; len != 0; len--) *t++ = *f++;
  return to;
}

void *memmove(void *to, const void *from, size_t len) {
  uint8_t *t = to;
  const uint8_t *f = from;
  if (t <= f || t >= f + len) {
    while (len-- != 0) *t++ = *f++;
  } else {
    while (len-- != 0) t[len] = f[len];
  }
  return to;
}

void *memset(void *to, int octet, size_t len) {
  uint8_t *t = to;
  uint32_t four = (uint8_t)octet * UINT32_C(0x01010101);
  for (; len >= 4; len -= 4, t += 4) *(word *)t = four;
  for (; len != 0; len--) *t++ = (uint8_t)octet;
  return to;
}

int memcmp(const void *a, const void *b, size_t len) {
  const uint8_t *x = a, *y = b;
  for (; len != 0; len--, x++, y++)
    if (*x != *y) return *x - *y;
  return 0;
}
