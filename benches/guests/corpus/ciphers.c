/* Ciphers. */
#include "corpus.h"

#define QUARTER(a, b, c, d)                                                              \
  (a += b, d = left(d ^ a, 16), c += d, b = left(b ^ c, 12), a += b, d = left(d ^ a, 8), \
   c += d, b = left(b ^ c, 7))

uint32_t chacha(uint32_t rounds) {
  uint32_t state[16], sum = 0;
  static uint8_t stream[64];
  fill(state, sizeof state, 4);
  for (uint32_t i = 0; i < rounds; i++) {
    uint32_t x[16];
    for (unsigned j = 0; j < 16; j++) x[j] = state[j];
    for (unsigned j = 0; j < 20; j += 2) {
      for (unsigned k = 0; k < 4; k++) QUARTER(x[k], x[k + 4], x[k + 8], x[k + 12]);
      for (unsigned k = 0; k < 4; k++)
        QUARTER(x[k], x[(k + 1) % 4 + 4], x[(k + 2) % 4 + 8], x[(k + 3) % 4 + 12]);
    }
    for (unsigned j = 0; j < 16; j++) {
      uint32_t word = x[j] + state[j];
      stream[4 * j] ^= (uint8_t)word, stream[4 * j + 1] ^= (uint8_t)(word >> 8);
      stream[4 * j + 2] ^= (uint8_t)(word >> 16), stream[4 * j + 3] ^= (uint8_t)(word >> 24);
    }
    state[12]++;
    sum += sum_of(stream, 64);
  }
  return sum | 1;
}

static uint8_t sbox[256], inverse_sbox[256];

static uint8_t twice(uint8_t x) { return (uint8_t)(x << 1 ^ (x >> 7) * 0x1B); }

static void make_sbox(void) {
  uint8_t p = 1, q = 1;
  do {
    p = (uint8_t)(p ^ twice(p));
    q ^= q << 1, q ^= q << 2, q ^= q << 4;
    if (q & 0x80) q ^= 9;
    uint8_t x = (uint8_t)(q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4) ^ 0x63);
    sbox[p] = x, inverse_sbox[x] = p;
  } while (p != 1);
  sbox[0] = 0x63, inverse_sbox[0x63] = 0;
}

static void aes_round(uint8_t s[16], const uint8_t *key, int last) {
  uint8_t t[16];
  for (unsigned i = 0; i < 16; i++) t[i] = sbox[s[(i * 5) & 15]];
  for (unsigned c = 0; c < 16; c += 4) {
    uint8_t *at = t + c, all = at[0] ^ at[1] ^ at[2] ^ at[3], first = at[0];
    if (!last) {
      at[0] ^= all ^ twice(at[0] ^ at[1]), at[1] ^= all ^ twice(at[1] ^ at[2]);
      at[2] ^= all ^ twice(at[2] ^ at[3]), at[3] ^= all ^ twice(at[3] ^ first);
    }
    for (unsigned i = 0; i < 4; i++) s[c + i] = at[i] ^ key[c + i];
  }
}

uint32_t aes_bytes(uint32_t rounds) {
  static uint8_t keys[176], s[16];
  make_sbox();
  fill(keys, 16, 8);
  uint8_t constant = 1;
  for (unsigned i = 16; i < 176; i += 4) {
    uint8_t t[4] = {keys[i - 4], keys[i - 3], keys[i - 2], keys[i - 1]};
    if (i % 16 == 0) {
      uint8_t first = t[0];
      t[0] = sbox[t[1]] ^ constant, t[1] = sbox[t[2]], t[2] = sbox[t[3]], t[3] = sbox[first];
      constant = twice(constant);
    }
    for (unsigned j = 0; j < 4; j++) keys[i + j] = keys[i + j - 16] ^ t[j];
  }
  for (uint32_t i = 0; i < rounds; i++) {
    for (unsigned j = 0; j < 16; j++) s[j] ^= keys[j];
    for (unsigned round = 1; round <= 10; round++) aes_round(s, keys + 16 * round, round == 10);
    for (unsigned j = 0; j < 16; j++) s[j] ^= inverse_sbox[s[j]];
  }
  return sum_of(s, 16);
}

static uint32_t permuted(uint32_t x, const uint8_t *places, unsigned count) {
  uint32_t to = 0;
  for (unsigned i = 0; i < count; i++) to = to << 1 | (x >> places[i] & 1);
  return to;
}

uint32_t des_like(uint32_t rounds) {
  static uint8_t places[32], boxes[8][64];
  static uint32_t subkeys[16][2];
  for (unsigned i = 0; i < 32; i++) places[i] = (uint8_t)((i * 13 + 5) & 31);
  fill(boxes, sizeof boxes, 7), fill(subkeys, sizeof subkeys, 8);
  uint32_t l = 0x01234567, r = 0x89ABCDEF;
  for (uint32_t i = 0; i < rounds; i++) {
    uint32_t t = (l >> 4 ^ r) & 0x0F0F0F0F;
    r ^= t, l ^= t << 4;
    t = (l >> 16 ^ r) & 0xFFFF, r ^= t, l ^= t << 16;
    t = (r >> 2 ^ l) & 0x33333333, l ^= t, r ^= t << 2;
    for (unsigned round = 0; round < 16; round++) {
      uint32_t a = right(r, 4) ^ subkeys[round][0], b = r ^ subkeys[round][1], f = 0;
      for (unsigned box = 0; box < 8; box++)
        f = f << 4 | (boxes[box][(box & 1 ? b : a) >> (24 - box / 2 * 8) & 63] & 15);
      f = permuted(f, places, 32);
      uint32_t held = l ^ f;
      l = r, r = held;
    }
    t = l, l = left(r, 1), r = right(t, 1);
  }
  return (l ^ r) | 1;
}

uint32_t xtea(uint32_t rounds) {
  uint32_t k[4] = {1, 22, 333, 4444}, a = 5, b = 6;
  static uint8_t s[256];
  for (unsigned i = 0; i < 256; i++) s[i] = (uint8_t)i;
  uint8_t x = 0, y = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    uint32_t sum = 0;
    for (unsigned j = 0; j < 32; j++) {
      a += ((b << 4 ^ b >> 5) + b) ^ (sum + k[sum & 3]);
      sum += 0x9E3779B9;
      b += ((a << 4 ^ a >> 5) + a) ^ (sum + k[sum >> 11 & 3]);
    }
    for (unsigned j = 0; j < 32; j++) {
      x++, y = (uint8_t)(y + s[x]);
      uint8_t held = s[x];
      s[x] = s[y], s[y] = held;
      a ^= (uint32_t)s[(uint8_t)(s[x] + s[y])] << (j & 24);
    }
    uint32_t lfsr = a | 1;
    for (unsigned j = 0; j < 32; j++) {
      uint32_t bit = (lfsr ^ lfsr >> 2 ^ lfsr >> 3 ^ lfsr >> 5) & 1;
      lfsr = lfsr >> 1 | bit << 31;
    }
    b ^= lfsr;
  }
  return (a ^ b) | 1;
}

static uint64_t left64(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

uint32_t siphash(uint32_t rounds) {
  uint64_t v0 = 0x736f6d6570736575, v1 = 0x646f72616e646f6d, v2 = 0x6c7967656e657261, v3 = 0x7465646279746573;
  for (uint32_t i = 0; i < rounds; i++) {
    for (uint64_t m = i; m < i + 8; m++) {
      v3 ^= m;
      for (unsigned j = 0; j < 2; j++) {
        v0 += v1, v1 = left64(v1, 13) ^ v0, v0 = left64(v0, 32);
        v2 += v3, v3 = left64(v3, 16) ^ v2;
        v0 += v3, v3 = left64(v3, 21) ^ v0;
        v2 += v1, v1 = left64(v1, 17) ^ v2, v2 = left64(v2, 32);
      }
      v0 ^= m;
    }
  }
  return (uint32_t)(v0 ^ v1 ^ v2 ^ v3) | 1;
}
