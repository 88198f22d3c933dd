/* AES-128 with one 4 x 1 KiB set of tables, as FIPS 197 allows it to be arranged; each round
   encrypts OCTETS octets, every block by itself, under a key that comes from the round before. */
#include "guest.h"

static uint8_t sbox[256];
static uint32_t tables[4][256];
static uint32_t blocks[OCTETS / 4];
static int ready;

static uint8_t twice(uint8_t x) { return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1B : 0)); }

static uint32_t rotated(uint32_t x, unsigned by) { return x >> by | x << (32 - by); }

static void make_tables(void) {
  /* 3 generates the field's units: its powers p and the inverse powers q meet every element. */
  uint8_t p = 1, q = 1;
  do {
    p = (uint8_t)(p ^ twice(p));
    q ^= (uint8_t)(q << 1);
    q ^= (uint8_t)(q << 2);
    q ^= (uint8_t)(q << 4);
    if (q & 0x80) q ^= 0x09;
    uint8_t x = q;
    for (unsigned i = 1; i < 5; i++) x ^= (uint8_t)(q << i | q >> (8 - i));
    sbox[p] = x ^ 0x63;
  } while (p != 1);
  sbox[0] = 0x63;
  for (unsigned i = 0; i < 256; i++) {
    uint8_t s = sbox[i], s2 = twice(s);
    uint32_t column = (uint32_t)s2 << 24 | (uint32_t)s << 16 | (uint32_t)s << 8 | (uint8_t)(s ^ s2);
    for (unsigned t = 0; t < 4; t++) tables[t][i] = t ? rotated(column, 8 * t) : column;
  }
}

static uint32_t substituted(uint32_t x) {
  return (uint32_t)sbox[x >> 24] << 24 | (uint32_t)sbox[x >> 16 & 255] << 16 |
         (uint32_t)sbox[x >> 8 & 255] << 8 | sbox[x & 255];
}

static void expand(const uint32_t key[4], uint32_t keys[44]) {
  uint8_t constant = 1;
  for (unsigned i = 0; i < 44; i++) {
    if (i < 4) {
      keys[i] = key[i];
      continue;
    }
    uint32_t before = keys[i - 1];
    if (i % 4 == 0) {
      before = substituted(rotated(before, 24)) ^ (uint32_t)constant << 24;
      constant = twice(constant);
    }
    keys[i] = keys[i - 4] ^ before;
  }
}

#define COLUMN(A, B, C, D, K)                                                     \
  (tables[0][A >> 24] ^ tables[1][B >> 16 & 255] ^ tables[2][C >> 8 & 255] ^ tables[3][D & 255] ^ K)
#define LAST(A, B, C, D, K)                                                       \
  (((uint32_t)sbox[A >> 24] << 24 | (uint32_t)sbox[B >> 16 & 255] << 16 |         \
    (uint32_t)sbox[C >> 8 & 255] << 8 | sbox[D & 255]) ^ K)

static void encrypt(const uint32_t keys[44], uint32_t block[4]) {
  uint32_t a = block[0] ^ keys[0], b = block[1] ^ keys[1];
  uint32_t c = block[2] ^ keys[2], d = block[3] ^ keys[3];
  for (unsigned round = 1; round < 10; round++) {
    const uint32_t *k = keys + 4 * round;
    uint32_t e = COLUMN(a, b, c, d, k[0]), f = COLUMN(b, c, d, a, k[1]);
    uint32_t g = COLUMN(c, d, a, b, k[2]), h = COLUMN(d, a, b, c, k[3]);
    a = e, b = f, c = g, d = h;
  }
  block[0] = LAST(a, b, c, d, keys[40]);
  block[1] = LAST(b, c, d, a, keys[41]);
  block[2] = LAST(c, d, a, b, keys[42]);
  block[3] = LAST(d, a, b, c, keys[43]);
}

uint32_t aes(uint32_t rounds) {
  uint32_t keys[44], key[4] = {0x2B7E1516, 0x28AED2A6, 0xABF71588, 0x09CF4F3C};
  uint32_t x = 1;
  if (!ready) make_tables();
  ready = 1;
  /* Block 0 is the example of FIPS 197, appendix B: its result goes into the sum. */
  for (unsigned i = 0; i < OCTETS / 4; i++) blocks[i] = x = next_random(x);
  blocks[0] = 0x3243F6A8, blocks[1] = 0x885A308D, blocks[2] = 0x313198A2, blocks[3] = 0xE0370734;
  for (uint32_t round = 0; round < rounds; round++) {
    expand(key, keys);
    for (unsigned i = 0; i < OCTETS / 4; i += 4) encrypt(keys, blocks + i);
    if (round == 0 && (blocks[0] != 0x3925841D || blocks[3] != 0x196A0B32)) return 0;
    for (unsigned i = 0; i < 4; i++) key[i] ^= blocks[i];
  }
  uint32_t sum = 0;
  for (unsigned i = 0; i < OCTETS / 4; i++) sum = rotated(sum, 31) ^ blocks[i];
  return sum;
}
