/* Work that the interpreter's rows were not chosen by: ChaCha20 (RFC 8439), Base64 with a table,
   a heap sort, and a parser of decimal numbers. It shows what code gets that nobody measured. */
#include "guest.h"

static uint32_t block[16];
static uint8_t plain[768], encoded[1025];
static uint32_t heap[256];

static inline uint32_t left(uint32_t x, unsigned by) { return x << by | x >> (32 - by); }

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
  *a += *b, *d = left(*d ^ *a, 16);
  *c += *d, *b = left(*b ^ *c, 12);
  *a += *b, *d = left(*d ^ *a, 8);
  *c += *d, *b = left(*b ^ *c, 7);
}

static void chacha(uint32_t out[16], const uint32_t in[16]) {
  uint32_t x[16];
  for (unsigned i = 0; i < 16; i++) x[i] = in[i];
  for (unsigned i = 0; i < 10; i++) {
    quarter(x, x + 4, x + 8, x + 12), quarter(x + 1, x + 5, x + 9, x + 13);
    quarter(x + 2, x + 6, x + 10, x + 14), quarter(x + 3, x + 7, x + 11, x + 15);
    quarter(x, x + 5, x + 10, x + 15), quarter(x + 1, x + 6, x + 11, x + 12);
    quarter(x + 2, x + 7, x + 8, x + 13), quarter(x + 3, x + 4, x + 9, x + 14);
  }
  for (unsigned i = 0; i < 16; i++) out[i] = x[i] + in[i];
}

static void base64(void) {
  static const char DIGITS[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint8_t *to = encoded;
  for (unsigned i = 0; i < sizeof plain; i += 3) {
    uint32_t bits = (uint32_t)plain[i] << 16 | (uint32_t)plain[i + 1] << 8 | plain[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) *to++ = (uint8_t)DIGITS[bits >> shift & 63];
  }
  *to = 0;
}

static void sift(unsigned at, unsigned len) {
  for (unsigned child; (child = 2 * at + 1) < len; at = child) {
    if (child + 1 < len && heap[child] < heap[child + 1]) child++;
    if (heap[at] >= heap[child]) return;
    uint32_t held = heap[at];
    heap[at] = heap[child], heap[child] = held;
  }
}

static void sort(unsigned len) {
  for (unsigned i = len / 2; i-- > 0;) sift(i, len);
  while (len-- > 1) {
    uint32_t held = heap[0];
    heap[0] = heap[len], heap[len] = held;
    sift(0, len);
  }
}

static uint32_t numbers(const uint8_t *at) {
  uint32_t sum = 0;
  while (*at) {
    uint32_t value = 0;
    while (*at >= '0' && *at <= '9') value = value * 10 + (*at++ - '0');
    sum = left(sum, 5) ^ value;
    if (*at) at++;
  }
  return sum;
}

uint32_t unseen(uint32_t rounds) {
  uint32_t sum = 1;
  for (uint32_t round = 0; round < rounds; round++) {
    uint32_t in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, sum, round, 3, 4, 5, 6, 7, 8};
    for (unsigned i = 0; i < sizeof plain; i += 64) {
      in[12] = i;
      chacha(block, in);
      for (unsigned j = 0; j < 64; j++) plain[i + j] = (uint8_t)(block[j / 4] >> (j & 3) * 8);
      for (unsigned j = 0; j < 16; j++) heap[i / 4 + j] = block[j];
    }
    base64();
    sort(sizeof plain / 4);
    for (unsigned i = 1; i < sizeof plain / 4; i++)
      if (heap[i - 1] > heap[i]) return 0;
    sum = left(sum, 1) ^ numbers(encoded) ^ heap[round % 192];
  }
  return sum | 1;
}
