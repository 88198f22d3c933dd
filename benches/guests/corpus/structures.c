/* Lists, tables, trees, queues. */
#include "corpus.h"

struct node {
  struct node *next, *before;
  uint32_t key;
  int16_t value;
};
static struct node nodes[200], head;

static struct node *reversed(struct node *list) {
  struct node *done = 0;
  while (list) {
    struct node *next = list->next;
    list->next = done, done = list, list = next;
  }
  return done;
}

static void insert(struct node *list, struct node *one) {
  while (list->next && list->next->key < one->key) list = list->next;
  one->next = list->next, one->before = list;
  if (list->next) list->next->before = one;
  list->next = one;
}

static void take_out(struct node *one) {
  one->before->next = one->next;
  if (one->next) one->next->before = one->before;
}

uint32_t lists(uint32_t rounds) {
  uint32_t sum = 0, x = 3;
  for (uint32_t round = 0; round < rounds; round++) {
    head.next = 0;
    for (unsigned i = 0; i < 60; i++) {
      nodes[i].key = (x = next_random(x)) >> 20, nodes[i].value = (int16_t)x;
      insert(&head, &nodes[i]);
    }
    for (unsigned i = 0; i < 60; i += 5) take_out(&nodes[i]);
    for (struct node *n = head.next; n; n = n->next) sum += n->key ^ (uint32_t)n->value;
    head.next = reversed(head.next);
    unsigned length = 0;
    for (struct node *n = head.next; n; n = n->next) length++;
    struct node *found = head.next;
    while (found && found->value != (int16_t)round) found = found->next;
    sum += length + (found != 0);
  }
  return sum | 1;
}

static struct entry {
  uint32_t key, value;
} table[256];
static struct chained {
  struct chained *next;
  uint32_t key, count;
} pool[128], *buckets[32];

static uint32_t *slot(uint32_t key) {
  uint32_t at = key * 0x9E3779B1u >> 24;
  while (table[at].key && table[at].key != key) at = (at + 1) & 255;
  table[at].key = key;
  return &table[at].value;
}

uint32_t hash_tables(uint32_t rounds) {
  uint32_t sum = 0, x = 11;
  for (uint32_t round = 0; round < rounds; round++) {
    for (unsigned i = 0; i < 256; i++) table[i].key = 0, table[i].value = 0;
    for (unsigned i = 0; i < 300; i++) (*slot(((x = next_random(x)) >> 25) + 1))++;
    for (unsigned i = 0; i < 256; i++) sum = sum * 5 + table[i].value;
    for (unsigned i = 0; i < 32; i++) buckets[i] = 0;
    unsigned used = 0;
    for (unsigned i = 0; i < 200; i++) {
      uint32_t key = (x = next_random(x)) >> 26;
      struct chained **at = &buckets[(key ^ key >> 3) % 32], *c = *at;
      while (c && c->key != key) c = c->next;
      if (!c) c = &pool[used++], c->key = key, c->count = 0, c->next = *at, *at = c;
      sum += ++c->count;
    }
  }
  return sum | 1;
}

struct leaf {
  struct leaf *left, *right;
  int key, depth;
};
static struct leaf leaves[128];

static struct leaf *grown(struct leaf *at, struct leaf *one) {
  if (!at) return one;
  if (one->key < at->key) at->left = grown(at->left, one);
  else at->right = grown(at->right, one);
  int l = at->left ? at->left->depth : 0, r = at->right ? at->right->depth : 0;
  at->depth = (l > r ? l : r) + 1;
  return at;
}

static uint32_t walked(const struct leaf *at, uint32_t sum) {
  if (!at) return sum;
  sum = walked(at->left, sum);
  sum = sum * 33 + (uint32_t)at->key;
  return walked(at->right, sum);
}

uint32_t trees(uint32_t rounds) {
  uint32_t sum = 0, x = 5;
  for (uint32_t round = 0; round < rounds; round++) {
    struct leaf *root = 0;
    for (unsigned i = 0; i < 64; i++) {
      leaves[i] = (struct leaf){0, 0, (int)((x = next_random(x)) >> 16), 1};
      root = grown(root, &leaves[i]);
    }
    for (unsigned i = 0; i < 64; i++) {
      const struct leaf *at = root;
      int wanted = (int)((x = next_random(x)) >> 16);
      while (at && at->key != wanted) at = wanted < at->key ? at->left : at->right;
      sum += at != 0;
    }
    sum += walked(root, sum);
  }
  return sum | 1;
}

static struct {
  uint16_t from, to, count;
  uint32_t items[64];
} ring;
static struct timer {
  uint32_t due;
  uint8_t id, armed;
} heap[64];

uint32_t queues(uint32_t rounds) {
  uint32_t sum = 0, x = 9;
  for (uint32_t round = 0; round < rounds; round++) {
    for (unsigned i = 0; i < 200; i++) {
      x = next_random(x);
      if (x >> 31 && ring.count < 64) {
        ring.items[ring.to] = x, ring.to = (ring.to + 1) & 63, ring.count++;
      } else if (ring.count) {
        sum ^= ring.items[ring.from], ring.from = (uint16_t)((ring.from + 1) % 64), ring.count--;
      }
    }
    unsigned len = 0;
    for (unsigned i = 0; i < 40; i++) {
      unsigned at = len++;
      struct timer t = {(x = next_random(x)) >> 8, (uint8_t)i, 1};
      while (at && heap[(at - 1) / 2].due > t.due) heap[at] = heap[(at - 1) / 2], at = (at - 1) / 2;
      heap[at] = t;
    }
    while (len) {
      sum = sum * 3 + heap[0].id;
      struct timer last = heap[--len];
      unsigned at = 0, child;
      while ((child = at * 2 + 1) < len) {
        if (child + 1 < len && heap[child + 1].due < heap[child].due) child++;
        if (heap[child].due >= last.due) break;
        heap[at] = heap[child], at = child;
      }
      heap[at] = last;
    }
  }
  return sum | 1;
}
