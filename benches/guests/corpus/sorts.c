/* Sorting and searching. */
#include "corpus.h"

static int32_t numbers[300], other[300];
struct record {
  uint16_t key;
  uint8_t kind, length;
  uint32_t value;
};
static struct record records[120];

static void quick(int32_t *from, int32_t *to) {
  while (to - from > 8) {
    int32_t pivot = from[(to - from) / 2], *low = from, *high = to - 1;
    for (;;) {
      while (*low < pivot) low++;
      while (pivot < *high) high--;
      if (low >= high) break;
      int32_t held = *low;
      *low++ = *high, *high-- = held;
    }
    if (low - from < to - low) quick(from, low), from = low;
    else quick(low, to), to = low;
  }
  for (int32_t *i = from + 1; i < to; i++) {
    int32_t held = *i, *j = i;
    for (; j > from && j[-1] > held; j--) *j = j[-1];
    *j = held;
  }
}

uint32_t quick_sort(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    fill(numbers, sizeof numbers, i);
    quick(numbers, numbers + 300);
    for (unsigned j = 1; j < 300; j++)
      if (numbers[j - 1] > numbers[j]) return 0;
    sum += sum_of(numbers, sizeof numbers);
  }
  return sum | 1;
}

static void merge(int32_t *from, int32_t *spare, unsigned len) {
  if (len < 2) return;
  unsigned half = len / 2, a = 0, b = half, to = 0;
  merge(from, spare, half), merge(from + half, spare, len - half);
  while (a < half && b < len) spare[to++] = from[a] <= from[b] ? from[a++] : from[b++];
  while (a < half) spare[to++] = from[a++];
  while (b < len) spare[to++] = from[b++];
  for (unsigned i = 0; i < len; i++) from[i] = spare[i];
}

uint32_t merge_sort(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    fill(numbers, sizeof numbers, i);
    merge(numbers, other, 300);
    sum += sum_of(numbers, sizeof numbers);
  }
  return sum | 1;
}

static int before(const struct record *a, const struct record *b) {
  if (a->kind != b->kind) return a->kind < b->kind;
  if (a->key != b->key) return a->key < b->key;
  return a->value < b->value;
}

uint32_t shell_sort(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    fill(records, sizeof records, i);
    for (unsigned j = 0; j < 120; j++) records[j].kind &= 3;
    for (unsigned gap = 40; gap; gap = gap * 4 / 9)
      for (unsigned j = gap; j < 120; j++) {
        struct record held = records[j];
        unsigned k = j;
        for (; k >= gap && before(&held, &records[k - gap]); k -= gap) records[k] = records[k - gap];
        records[k] = held;
      }
    sum += sum_of(records, sizeof records);
  }
  return sum | 1;
}

static int32_t find(const int32_t *in, int len, int32_t wanted) {
  int low = 0, high = len - 1;
  while (low <= high) {
    int middle = low + (high - low) / 2;
    if (in[middle] == wanted) return middle;
    if (in[middle] < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

uint32_t searches(uint32_t rounds) {
  uint32_t sum = 1, x = 7;
  for (int i = 0; i < 300; i++) numbers[i] = i * 3;
  for (uint32_t i = 0; i < rounds; i++) {
    for (unsigned j = 0; j < 100; j++) sum += (uint32_t)find(numbers, 300, (int32_t)((x = next_random(x)) >> 22));
    int32_t most = numbers[0], least = numbers[0], at = 0;
    for (int j = 1; j < 300; j++) {
      if (other[j] > most) most = other[j], at = j;
      if (other[j] < least) least = other[j];
    }
    sum += (uint32_t)(most - least + at), other[sum % 300] = (int32_t)x;
  }
  return sum | 1;
}
