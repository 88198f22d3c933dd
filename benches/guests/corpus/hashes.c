/* Hash functions. Their tables of constants are made up where that changes nothing here. */
#include "corpus.h"

static uint8_t octets[128];
static uint32_t constants[64];

static uint32_t big_endian(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t little_endian(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t sha256_rolled(uint32_t rounds) {
  uint32_t h[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  fill(octets, sizeof octets, 1), fill(constants, sizeof constants, 2);
  for (uint32_t n = 0; n < rounds; n++) {
    uint32_t w[64], v[8];
    for (unsigned i = 0; i < 16; i++) w[i] = big_endian(octets + 4 * i) + n;
    for (unsigned i = 16; i < 64; i++) {
      uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (right(a, 7) ^ right(a, 18) ^ a >> 3) + w[i - 7] + (right(b, 17) ^ right(b, 19) ^ b >> 10);
    }
    for (unsigned i = 0; i < 8; i++) v[i] = h[i];
    for (unsigned i = 0; i < 64; i++) {
      uint32_t e = v[4], a = v[0];
      uint32_t t = v[7] + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + constants[i] + w[i];
      uint32_t u = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & v[1]) | (v[2] & (a | v[1])));
      for (unsigned j = 7; j > 0; j--) v[j] = v[j - 1];
      v[4] += t, v[0] = t + u;
    }
    for (unsigned i = 0; i < 8; i++) h[i] += v[i];
  }
  return sum_of(h, sizeof h);
}

static uint64_t right64(uint64_t x, unsigned by) { return x >> by | x << (64 - by); }

uint32_t sha512(uint32_t rounds) {
  uint64_t h[8] = {1, 2, 3, 4, 5, 6, 7, 8}, w[80];
  fill(w, 128, 3), fill(constants, sizeof constants, 4);
  for (uint32_t n = 0; n < rounds; n++) {
    for (unsigned i = 16; i < 80; i++) {
      uint64_t x = w[i - 15], y = w[i - 2];
      w[i] = w[i - 16] + (right64(x, 1) ^ right64(x, 8) ^ x >> 7) + w[i - 7] + (right64(y, 19) ^ right64(y, 61) ^ y >> 6);
    }
    uint64_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
    for (unsigned i = 0; i < 80; i++) {
      uint64_t t = k + (right64(e, 14) ^ right64(e, 18) ^ right64(e, 41)) + ((e & f) ^ (~e & g)) + constants[i & 63] + w[i];
      uint64_t u = (right64(a, 28) ^ right64(a, 34) ^ right64(a, 39)) + ((a & b) ^ (a & c) ^ (b & c));
      k = g, g = f, f = e, e = d + t, d = c, c = b, b = a, a = t + u;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += k;
  }
  return sum_of(h, sizeof h);
}

#define MIX(a, b, c, d, x, y)                                                          \
  (a += b + x, d = right(d ^ a, 16), c += d, b = right(b ^ c, 12), a += b + y,         \
   d = right(d ^ a, 8), c += d, b = right(b ^ c, 7))

uint32_t blake2s(uint32_t rounds) {
  static const uint8_t ORDER[2][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                       {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};
  uint32_t h[8] = {9, 8, 7, 6, 5, 4, 3, 2}, m[16], v[16];
  fill(octets, 64, 5);
  for (uint32_t n = 0; n < rounds; n++) {
    for (unsigned i = 0; i < 16; i++) m[i] = little_endian(octets + 4 * i) ^ n;
    for (unsigned i = 0; i < 8; i++) v[i] = h[i], v[i + 8] = constants[i] ^ i;
    for (unsigned round = 0; round < 10; round++) {
      const uint8_t *o = ORDER[round & 1];
      MIX(v[0], v[4], v[8], v[12], m[o[0]], m[o[1]]), MIX(v[1], v[5], v[9], v[13], m[o[2]], m[o[3]]);
      MIX(v[2], v[6], v[10], v[14], m[o[4]], m[o[5]]), MIX(v[3], v[7], v[11], v[15], m[o[6]], m[o[7]]);
      MIX(v[0], v[5], v[10], v[15], m[o[8]], m[o[9]]), MIX(v[1], v[6], v[11], v[12], m[o[10]], m[o[11]]);
      MIX(v[2], v[7], v[8], v[13], m[o[12]], m[o[13]]), MIX(v[3], v[4], v[9], v[14], m[o[14]], m[o[15]]);
    }
    for (unsigned i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
  }
  return sum_of(h, sizeof h);
}

uint32_t md5(uint32_t rounds) {
  static const uint8_t SHIFTS[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  uint32_t h[4] = {1, 2, 3, 4}, m[16];
  fill(m, sizeof m, 6), fill(constants, sizeof constants, 7);
  for (uint32_t n = 0; n < rounds; n++) {
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3];
    for (unsigned i = 0; i < 64; i++) {
      uint32_t f, g;
      if (i < 16) f = (b & c) | (~b & d), g = i;
      else if (i < 32) f = (d & b) | (~d & c), g = (5 * i + 1) & 15;
      else if (i < 48) f = b ^ c ^ d, g = (3 * i + 5) & 15;
      else f = c ^ (b | ~d), g = 7 * i & 15;
      uint32_t t = a + f + constants[i] + m[g];
      a = d, d = c, c = b;
      unsigned by = SHIFTS[i / 16][i & 3];
      b += t << by | t >> (32 - by);
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d;
    m[n & 15] ^= h[0];
  }
  return sum_of(h, sizeof h);
}

uint32_t keccak(uint32_t rounds) {
  static const uint8_t TURNS[24] = {1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44};
  static const uint8_t LANES[24] = {10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};
  uint64_t s[25], c[5];
  fill(s, sizeof s, 8);
  for (uint32_t n = 0; n < rounds; n++) {
    for (unsigned i = 0; i < 5; i++) c[i] = s[i] ^ s[i + 5] ^ s[i + 10] ^ s[i + 15] ^ s[i + 20];
    for (unsigned i = 0; i < 5; i++) {
      uint64_t t = c[(i + 4) % 5] ^ right64(c[(i + 1) % 5], 63);
      for (unsigned j = 0; j < 25; j += 5) s[i + j] ^= t;
    }
    uint64_t t = s[1];
    for (unsigned i = 0; i < 24; i++) {
      uint64_t held = s[LANES[i]];
      s[LANES[i]] = right64(t, 64 - TURNS[i]), t = held;
    }
    for (unsigned j = 0; j < 25; j += 5) {
      for (unsigned i = 0; i < 5; i++) c[i] = s[i + j];
      for (unsigned i = 0; i < 5; i++) s[i + j] = c[i] ^ (~c[(i + 1) % 5] & c[(i + 2) % 5]);
    }
    s[0] ^= n;
  }
  return sum_of(s, sizeof s);
}
