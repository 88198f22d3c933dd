/* Filters, matrices, transforms, fixed point. */
#include "corpus.h"

static int16_t samples[256], filtered[256], taps[16];

uint32_t filters(uint32_t rounds) {
  uint32_t sum = 0;
  fill(samples, sizeof samples, 1), fill(taps, sizeof taps, 2);
  for (uint32_t n = 0; n < rounds; n++) {
    for (unsigned i = 0; i < 128; i++) {
      int32_t acc = 1 << 14;
      for (unsigned j = 0; j < 16; j++) acc += taps[j] * samples[i + j] >> 4;
      acc >>= 11;
      filtered[i] = (int16_t)(acc > 32767 ? 32767 : acc < -32768 ? -32768 : acc);
    }
    int32_t x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    for (unsigned i = 0; i < 128; i++) {
      int32_t y = (5000 * samples[i] + 9000 * x1 + 5000 * x2 + 7000 * y1 - 3000 * y2) >> 14;
      x2 = x1, x1 = samples[i], y2 = y1, y1 = y;
      sum += (uint32_t)y;
    }
    uint32_t average = 0;
    for (unsigned i = 0; i < 128; i++) average = average - (average >> 3) + (uint32_t)(filtered[i] < 0 ? -filtered[i] : filtered[i]);
    samples[n & 255] ^= (int16_t)average;
    sum += sum_of(filtered, 256);
  }
  return sum | 1;
}

#define SIDE 12

uint32_t matrices(uint32_t rounds) {
  static int32_t a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
  fill(a, sizeof a, 3), fill(b, sizeof b, 4);
  for (uint32_t n = 0; n < rounds; n++) {
    for (unsigned i = 0; i < SIDE; i++)
      for (unsigned j = 0; j < SIDE; j++) {
        int32_t acc = 0;
        for (unsigned k = 0; k < SIDE; k++) acc += (a[i][k] >> 16) * (b[k][j] >> 16);
        c[i][j] = acc;
      }
    for (unsigned i = 0; i < SIDE; i++)
      for (unsigned j = 0; j < i; j++) {
        int32_t held = a[i][j];
        a[i][j] = a[j][i] + c[i][j], a[j][i] = held;
      }
    b[n % SIDE][(n + 3) % SIDE] += c[2][3];
  }
  return sum_of(c, sizeof c);
}

static void transformed(int32_t *at, unsigned by) {
  int32_t s0 = at[0] + at[7 * by], s1 = at[by] + at[6 * by], s2 = at[2 * by] + at[5 * by], s3 = at[3 * by] + at[4 * by];
  int32_t d0 = at[0] - at[7 * by], d1 = at[by] - at[6 * by], d2 = at[2 * by] - at[5 * by], d3 = at[3 * by] - at[4 * by];
  int32_t e0 = s0 + s3, e1 = s1 + s2, e2 = s1 - s2, e3 = s0 - s3;
  at[0] = e0 + e1, at[4 * by] = e0 - e1;
  at[2 * by] = (e3 * 473 + e2 * 196) >> 9, at[6 * by] = (e3 * 196 - e2 * 473) >> 9;
  at[by] = (d0 * 502 + d1 * 426 + d2 * 284 + d3 * 100) >> 9, at[3 * by] = (d0 * 426 - d1 * 100 - d2 * 502 - d3 * 284) >> 9;
  at[5 * by] = (d0 * 284 - d1 * 502 + d2 * 100 + d3 * 426) >> 9, at[7 * by] = (d0 * 100 - d1 * 284 + d2 * 426 - d3 * 502) >> 9;
}

uint32_t cosines(uint32_t rounds) {
  static int32_t block[64];
  static uint8_t order[64];
  uint32_t sum = 0;
  for (unsigned i = 0; i < 64; i++) order[i] = (uint8_t)(i * 37 & 63);
  for (uint32_t n = 0; n < rounds; n++) {
    for (unsigned i = 0; i < 64; i++) block[i] = (int32_t)((i * n + i * i) & 255) - 128;
    for (unsigned i = 0; i < 8; i++) transformed(block + 8 * i, 1);
    for (unsigned i = 0; i < 8; i++) transformed(block + i, 8);
    unsigned run = 0;
    for (unsigned i = 0; i < 64; i++) {
      int32_t v = block[order[i]] / (int32_t)(8 + i);
      if (v == 0) run++;
      else sum = sum * 9 + (uint32_t)v + run, run = 0;
    }
  }
  return sum | 1;
}

static uint32_t root(uint32_t x) {
  uint32_t r = 0;
  for (uint32_t bit = 1u << 30; bit; bit >>= 2)
    if (x >= r + bit) x -= r + bit, r = (r >> 1) + bit;
    else r >>= 1;
  return r;
}

uint32_t fixed_point(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t n = 0; n < rounds; n++) {
    for (int y = -4; y < 4; y++) {
      int32_t cr = (int32_t)(n % 16) * 1000 - 32000, ci = y * 3000, r = 0, i = 0;
      unsigned steps = 0;
      while (steps < 40 && (r >> 7) * (r >> 7) + (i >> 7) * (i >> 7) < 4 << 14) {
        int32_t next = (int32_t)(((int64_t)r * r - (int64_t)i * i) >> 14) + cr;
        i = (int32_t)((int64_t)r * i >> 13) + ci, r = next, steps++;
      }
      sum = sum * 3 + steps;
    }
    sum += root(sum), sum += (uint32_t)((int32_t)sum / 1000) * 7;
    uint32_t angle = n * 99, c = 39797, s = 0;
    for (unsigned k = 0; k < 16; k++) {
      int32_t x = (int32_t)c >> k, z = (int32_t)s >> k;
      if (angle & 0x8000) c += (uint32_t)z, s -= (uint32_t)x, angle += 0x3243u >> k;
      else c -= (uint32_t)z, s += (uint32_t)x, angle -= 0x3243u >> k;
    }
    sum ^= c + s;
  }
  return sum | 1;
}
