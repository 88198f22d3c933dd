/* Numbers longer than a word: what public keys and Poly1305 are made of. */
#include "corpus.h"

#define WORDS 8
typedef uint32_t number[WORDS];

static uint32_t added(number to, const number a, const number b) {
  uint64_t carry = 0;
  for (unsigned i = 0; i < WORDS; i++) carry += (uint64_t)a[i] + b[i], to[i] = (uint32_t)carry, carry >>= 32;
  return (uint32_t)carry;
}

static uint32_t subtracted(number to, const number a, const number b) {
  uint32_t borrow = 0;
  for (unsigned i = 0; i < WORDS; i++) {
    uint32_t d = a[i] - b[i], under = a[i] < b[i];
    to[i] = d - borrow;
    borrow = under | (d < borrow);
  }
  return borrow;
}

static void multiplied(uint32_t to[2 * WORDS], const number a, const number b) {
  for (unsigned i = 0; i < 2 * WORDS; i++) to[i] = 0;
  for (unsigned i = 0; i < WORDS; i++) {
    uint64_t carry = 0;
    for (unsigned j = 0; j < WORDS; j++) {
      carry += (uint64_t)a[i] * b[j] + to[i + j];
      to[i + j] = (uint32_t)carry, carry >>= 32;
    }
    to[i + WORDS] = (uint32_t)carry;
  }
}

static uint32_t remainder_of(const uint32_t *a, unsigned words, uint32_t by) {
  uint32_t rest = 0;
  while (words--)
    for (int bit = 31; bit >= 0; bit--) {
      rest = rest << 1 | (a[words] >> bit & 1);
      if (rest >= by) rest -= by;
    }
  return rest;
}

uint32_t big_numbers(uint32_t rounds) {
  number a, b, c;
  uint32_t product[2 * WORDS], sum = 0;
  fill(a, sizeof a, 1), fill(b, sizeof b, 2);
  for (uint32_t i = 0; i < rounds; i++) {
    multiplied(product, a, b);
    sum += added(c, a, product + WORDS) + subtracted(b, c, product);
    for (unsigned j = WORDS; j-- > 1;) c[j] = c[j] << 1 | c[j - 1] >> 31;
    c[0] <<= 1;
    for (unsigned j = 0; j < WORDS; j++) a[j] = c[j] ^ product[j];
    sum ^= remainder_of(product, 2, 65537);
  }
  return sum | 1;
}

/* a * b / 2^256 modulo m, word by word. */
static void reduced(number to, const number a, const number b, const number m, uint32_t inverse) {
  uint32_t t[WORDS + 2] = {0};
  for (unsigned i = 0; i < WORDS; i++) {
    uint64_t carry = 0;
    for (unsigned j = 0; j < WORDS; j++) carry += (uint64_t)a[j] * b[i] + t[j], t[j] = (uint32_t)carry, carry >>= 32;
    carry += t[WORDS], t[WORDS] = (uint32_t)carry, t[WORDS + 1] = (uint32_t)(carry >> 32);
    uint32_t q = t[0] * inverse;
    carry = ((uint64_t)q * m[0] + t[0]) >> 32;
    for (unsigned j = 1; j < WORDS; j++) carry += (uint64_t)q * m[j] + t[j], t[j - 1] = (uint32_t)carry, carry >>= 32;
    carry += t[WORDS], t[WORDS - 1] = (uint32_t)carry, t[WORDS] = t[WORDS + 1] + (uint32_t)(carry >> 32);
  }
  uint32_t borrow = subtracted(to, t, m), mask = 0 - (uint32_t)(t[WORDS] < borrow);
  for (unsigned i = 0; i < WORDS; i++) to[i] ^= mask & (to[i] ^ t[i]);
}

uint32_t montgomery(uint32_t rounds) {
  number m, a, b;
  fill(m, sizeof m, 9), fill(a, sizeof a, 3), fill(b, sizeof b, 4);
  m[0] |= 1, m[7] |= 0x80000000u, a[7] &= 0x7FFFFFFF, b[7] &= 0x7FFFFFFF;
  uint32_t inverse = 1;
  for (unsigned i = 0; i < 5; i++) inverse *= 2 - m[0] * inverse;
  for (uint32_t i = 0; i < rounds; i++) {
    reduced(a, a, b, m, 0 - inverse);
    if (i & 1) reduced(b, b, b, m, 0 - inverse);
  }
  return sum_of(a, sizeof a);
}

/* Ten limbs of 26 and 25 bits. */
typedef int32_t field[10];

static void field_multiplied(field to, const field a, const field b) {
  int64_t h[10] = {0};
  for (unsigned i = 0; i < 10; i++)
    for (unsigned j = 0; j < 10; j++) {
      int32_t x = a[i] * (i & j & 1 ? 2 : 1), y = b[j];
      if (i + j >= 10) h[i + j - 10] += (int64_t)x * (y * 19);
      else h[i + j] += (int64_t)x * y;
    }
  for (unsigned pass = 0; pass < 2; pass++) {
    int64_t carry = 0;
    for (unsigned i = 0; i < 10; i++) {
      unsigned bits = i & 1 ? 25 : 26;
      h[i] += carry, carry = h[i] >> bits, h[i] -= carry << bits;
    }
    h[0] += carry * 19;
  }
  for (unsigned i = 0; i < 10; i++) to[i] = (int32_t)h[i];
}

static void swapped(field a, field b, uint32_t bit) {
  int32_t mask = -(int32_t)bit;
  for (unsigned i = 0; i < 10; i++) {
    int32_t x = mask & (a[i] ^ b[i]);
    a[i] ^= x, b[i] ^= x;
  }
}

uint32_t field25519(uint32_t rounds) {
  field a, b, c;
  for (int i = 0; i < 10; i++) a[i] = 1234567 * (i + 1) & 0xFFFFFF, b[i] = 7654321 * (i + 3) & 0xFFFFFF;
  for (uint32_t i = 0; i < rounds; i++) {
    field_multiplied(c, a, b);
    for (unsigned j = 0; j < 10; j++) a[j] = c[j] + a[j], b[j] = b[j] - (c[j] >> 1);
    field_multiplied(a, a, c), field_multiplied(b, b, b);
    swapped(a, b, i & 1);
  }
  return sum_of(a, sizeof a);
}

static uint32_t word(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t poly1305(uint32_t rounds) {
  static uint8_t octets[256];
  uint32_t r[5] = {0x3ffffff & 0x2345678, 0x3ffff03 & 0x1928374, 0x3ffc0ff & 0x3abcdef, 0x3f03fff & 0x1020304, 0xfffff & 0x55555};
  uint32_t h0 = 0, h1 = 0, h2 = 0, h3 = 0, h4 = 0;
  uint32_t s1 = r[1] * 5, s2 = r[2] * 5, s3 = r[3] * 5, s4 = r[4] * 5;
  fill(octets, sizeof octets, 6);
  for (uint32_t i = 0; i < rounds; i++)
    for (const uint8_t *at = octets; at < octets + sizeof octets; at += 16) {
      h0 += word(at) & 0x3ffffff, h1 += word(at + 3) >> 2 & 0x3ffffff, h2 += word(at + 6) >> 4 & 0x3ffffff;
      h3 += word(at + 9) >> 6, h4 += word(at + 12) >> 8 | 1 << 24;
      uint64_t d0 = (uint64_t)h0 * r[0] + (uint64_t)h1 * s4 + (uint64_t)h2 * s3 + (uint64_t)h3 * s2 + (uint64_t)h4 * s1;
      uint64_t d1 = (uint64_t)h0 * r[1] + (uint64_t)h1 * r[0] + (uint64_t)h2 * s4 + (uint64_t)h3 * s3 + (uint64_t)h4 * s2;
      uint64_t d2 = (uint64_t)h0 * r[2] + (uint64_t)h1 * r[1] + (uint64_t)h2 * r[0] + (uint64_t)h3 * s4 + (uint64_t)h4 * s3;
      uint64_t d3 = (uint64_t)h0 * r[3] + (uint64_t)h1 * r[2] + (uint64_t)h2 * r[1] + (uint64_t)h3 * r[0] + (uint64_t)h4 * s4;
      uint64_t d4 = (uint64_t)h0 * r[4] + (uint64_t)h1 * r[3] + (uint64_t)h2 * r[2] + (uint64_t)h3 * r[1] + (uint64_t)h4 * r[0];
      uint32_t c = (uint32_t)(d0 >> 26);
      h0 = (uint32_t)d0 & 0x3ffffff, d1 += c, c = (uint32_t)(d1 >> 26);
      h1 = (uint32_t)d1 & 0x3ffffff, d2 += c, c = (uint32_t)(d2 >> 26);
      h2 = (uint32_t)d2 & 0x3ffffff, d3 += c, c = (uint32_t)(d3 >> 26);
      h3 = (uint32_t)d3 & 0x3ffffff, d4 += c, c = (uint32_t)(d4 >> 26);
      h4 = (uint32_t)d4 & 0x3ffffff, h0 += c * 5, c = h0 >> 26, h0 &= 0x3ffffff, h1 += c;
    }
  return (h0 ^ left(h1, 6) ^ left(h2, 12) ^ left(h3, 18) ^ left(h4, 24)) | 1;
}
