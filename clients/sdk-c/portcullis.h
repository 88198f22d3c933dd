/* What a client in C sees of the secure virtual machine: the system calls as functions, and the
   two functions that a client defines. Numbers are in portcullis_abi.h, which is made from the
   machine's own source; what the calls do, docs/reference/svm.md says. The machine has one thread
   and one event at a time (X.1198 7.7). */
#ifndef PORTCULLIS_H
#define PORTCULLIS_H

#include <stddef.h>
#include <stdint.h>

#include "portcullis_abi.h"

/* The client defines these. What pt_event returns is the reason that the media client shows. */
void pt_initialize(void);
uint32_t pt_event(uint32_t event, const uint32_t params[PT_EVENT_PARAMS_MAX]);

/* The C library that a compiler takes for granted. */
void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int octet, size_t len);
int memcmp(const void *a, const void *b, size_t len);

/* What a system call answers: x10, and x11, which is negative when it was refused. */
typedef struct {
  uint32_t result;
  int32_t status;
} pt_reply;

/* TRAP. Parameters are pushed first to last, so that the first lies highest; the machine pops
   them (X.1198 7.6). They are stored before the stack pointer moves, because a parameter may
   stand in the stack pointer itself. x31 is changed, and memory may be. */
#define PT_TRAP_(STORES, ID, ...)                                                                  \
  register uint32_t result_ __asm__("a0");                                                         \
  register int32_t status_ __asm__("a1");                                                          \
  __asm__ volatile(STORES ".insn i 0x0B, 0, x31, x2, %[id]"                                        \
                   : "=r"(result_), "=r"(status_)                                                  \
                   : [id] "i"(ID)__VA_ARGS__                                                       \
                   : "t6", "memory");                                                              \
  return (pt_reply){result_, status_}

#define PT_WORD_(X) ((uint32_t)(uintptr_t)(X))
#define PT_TRAP0(ID) PT_TRAP_("", ID)
#define PT_TRAP1(ID, A) PT_TRAP_("sw %3, -4(sp)\n\taddi sp, sp, -4\n\t", ID, , "r"(PT_WORD_(A)))
#define PT_TRAP2(ID, A, B)                                                                         \
  PT_TRAP_("sw %3, -4(sp)\n\tsw %4, -8(sp)\n\taddi sp, sp, -8\n\t", ID, , "r"(PT_WORD_(A)),        \
           "r"(PT_WORD_(B)))
#define PT_TRAP3(ID, A, B, C)                                                                      \
  PT_TRAP_("sw %3, -4(sp)\n\tsw %4, -8(sp)\n\tsw %5, -12(sp)\n\taddi sp, sp, -12\n\t", ID, ,       \
           "r"(PT_WORD_(A)), "r"(PT_WORD_(B)), "r"(PT_WORD_(C)))
#define PT_TRAP4(ID, A, B, C, D)                                                                   \
  PT_TRAP_("sw %3, -4(sp)\n\tsw %4, -8(sp)\n\tsw %5, -12(sp)\n\tsw %6, -16(sp)\n\t"                \
           "addi sp, sp, -16\n\t",                                                                 \
           ID, , "r"(PT_WORD_(A)), "r"(PT_WORD_(B)), "r"(PT_WORD_(C)), "r"(PT_WORD_(D)))
#define PT_TRAP5(ID, A, B, C, D, E)                                                                \
  PT_TRAP_("sw %3, -4(sp)\n\tsw %4, -8(sp)\n\tsw %5, -12(sp)\n\tsw %6, -16(sp)\n\t"                \
           "sw %7, -20(sp)\n\taddi sp, sp, -20\n\t",                                               \
           ID, , "r"(PT_WORD_(A)), "r"(PT_WORD_(B)), "r"(PT_WORD_(C)), "r"(PT_WORD_(D)),           \
           "r"(PT_WORD_(E)))

/* The handler and the buffer of the events: pt_start has registered both. */
static inline pt_reply pt_set_event_handler(void (*handler)(void)) {
  PT_TRAP1(PT_CALL_SET_EVENT_HANDLER, handler);
}
static inline pt_reply pt_set_event_param_buffer(uint32_t *buffer, uint32_t elements) {
  PT_TRAP2(PT_CALL_SET_EVENT_PARAM_BUFFER, buffer, elements);
}

/* Ends the client; does not come back. */
static inline pt_reply pt_exit(uint32_t code) { PT_TRAP1(PT_CALL_EXIT, code); }

/* A message to the host. */
static inline pt_reply pt_put_msg(const void *message, uint32_t len) {
  PT_TRAP2(PT_CALL_PUT_MSG, message, len);
}

/* Octets of heap and of stack that the policy grants. The heap begins at pt_heap_start. */
static inline pt_reply pt_heap_size(void) { PT_TRAP0(PT_CALL_HEAP_SIZE); }
static inline pt_reply pt_stack_size(void) { PT_TRAP0(PT_CALL_STACK_SIZE); }
extern uint8_t pt_heap_start[] __asm__("__heap_start");

/* A line for the log: level 1 error, 2 warning, 3 information, 4 detail. */
static inline pt_reply pt_log(uint32_t level, const char *line, uint32_t len) {
  PT_TRAP3(PT_CALL_LOG, level, line, len);
}

/* A copy of an access token (PT_TOKEN_*), and how long it is. */
static inline pt_reply pt_get_token(uint32_t kind, void *out, uint32_t cap) {
  PT_TRAP3(PT_CALL_GET_TOKEN, kind, out, cap);
}
static inline pt_reply pt_token_info(uint32_t kind) { PT_TRAP1(PT_CALL_TOKEN_INFO, kind); }

/* The content of a Descramble event (PT_TOKEN_CONTENT), given back with its payloads descrambled. */
static inline pt_reply pt_put_content(const void *content, uint32_t len) {
  PT_TRAP2(PT_CALL_PUT_CONTENT, content, len);
}

/* The key ladder. Keys never come back: the chip keeps them. */
static inline pt_reply pt_kl_set_vendor(uint32_t vendor_sys_id) {
  PT_TRAP1(PT_CALL_KL_SET_VENDOR, vendor_sys_id);
}
static inline pt_reply pt_kl_set_ek2(const void *envelope, uint32_t len) {
  PT_TRAP2(PT_CALL_KL_SET_EK2, envelope, len);
}
static inline pt_reply pt_kl_set_ek1(const void *envelope, uint32_t len) {
  PT_TRAP2(PT_CALL_KL_SET_EK1, envelope, len);
}
static inline pt_reply pt_kl_load_cw(uint32_t session, uint32_t parity, const uint8_t ecw[16],
                                     const void *usage_rights, uint32_t len) {
  PT_TRAP5(PT_CALL_KL_LOAD_CW, session, parity, ecw, usage_rights, len);
}
static inline pt_reply pt_kl_challenge(const uint8_t nonce[16], uint8_t out[16]) {
  PT_TRAP2(PT_CALL_KL_CHALLENGE, nonce, out);
}
static inline pt_reply pt_kl_open_message(const void *envelope, uint32_t len, void *out,
                                          uint32_t cap) {
  PT_TRAP4(PT_CALL_KL_OPEN_MESSAGE, envelope, len, out, cap);
}
static inline pt_reply pt_kl_release(uint32_t session) { PT_TRAP1(PT_CALL_KL_RELEASE, session); }

static inline pt_reply pt_sha256(const void *data, uint32_t len, uint8_t out[32]) {
  PT_TRAP3(PT_CALL_SHA256, data, len, out);
}
/* Ed25519 under a key of PT_KEY_*. */
static inline pt_reply pt_verify_sig(uint32_t key, const void *data, uint32_t len,
                                     const uint8_t signature[64]) {
  PT_TRAP4(PT_CALL_VERIFY_SIG, key, data, len, signature);
}
static inline pt_reply pt_random(void *out, uint32_t len) { PT_TRAP2(PT_CALL_RANDOM, out, len); }

/* Records of this client's storage, written whole or not at all, and counters that only rise. */
static inline pt_reply pt_nv_read(const void *key, uint32_t key_len, void *out, uint32_t cap) {
  PT_TRAP4(PT_CALL_NV_READ, key, key_len, out, cap);
}
static inline pt_reply pt_nv_write(const void *key, uint32_t key_len, const void *value,
                                   uint32_t len) {
  PT_TRAP4(PT_CALL_NV_WRITE, key, key_len, value, len);
}
static inline pt_reply pt_nv_monotonic_inc(uint32_t id) { PT_TRAP1(PT_CALL_NV_MONOTONIC_INC, id); }

/* Status for the user: one JSON object. */
static inline pt_reply pt_client_status(const char *json, uint32_t len) {
  PT_TRAP2(PT_CALL_CLIENT_STATUS, json, len);
}

/* The message that waits longest (source, number, body), and a host service (PT_SERVICE_*) whose
 * answer is the next message. */
static inline pt_reply pt_get_msg(void *out, uint32_t cap) { PT_TRAP2(PT_CALL_GET_MSG, out, cap); }
static inline pt_reply pt_sync_call(uint32_t service, const void *request, uint32_t len) {
  PT_TRAP3(PT_CALL_SYNC_CALL, service, request, len);
}
/* A function of PT_CLIB_*. */
static inline pt_reply pt_clib(uint32_t function, uint32_t a, uint32_t b, uint32_t len) {
  PT_TRAP4(PT_CALL_CLIB, function, a, b, len);
}

/* MACs under a key of PT_KEY_* or a derived one; keys are named and never seen. */
static inline pt_reply pt_aes_cmac(uint32_t key, const void *data, uint32_t len, uint8_t out[16]) {
  PT_TRAP4(PT_CALL_AES_CMAC, key, data, len, out);
}
static inline pt_reply pt_hmac_sha256(uint32_t key, const void *data, uint32_t len,
                                      uint8_t out[32]) {
  PT_TRAP4(PT_CALL_HMAC_SHA256, key, data, len, out);
}
static inline pt_reply pt_hkdf_to_handle(uint32_t key, const void *salt, uint32_t salt_len,
                                         const void *info, uint32_t info_len) {
  PT_TRAP5(PT_CALL_HKDF_TO_HANDLE, key, salt, salt_len, info, info_len);
}
static inline pt_reply pt_key_release(uint32_t key) { PT_TRAP1(PT_CALL_KEY_RELEASE, key); }

/* The network: started at once, answered by messages (PT_NET_*). */
static inline pt_reply pt_http_request(uint32_t method, const char *url, uint32_t url_len,
                                       const void *body, uint32_t body_len) {
  PT_TRAP5(PT_CALL_HTTP_REQUEST, method, url, url_len, body, body_len);
}
static inline pt_reply pt_tls_connect(const char *host, uint32_t len, uint32_t port) {
  PT_TRAP3(PT_CALL_TLS_CONNECT, host, len, port);
}
static inline pt_reply pt_tls_send(uint32_t number, const void *data, uint32_t len) {
  PT_TRAP3(PT_CALL_TLS_SEND, number, data, len);
}
static inline pt_reply pt_net_close(uint32_t number) { PT_TRAP1(PT_CALL_NET_CLOSE, number); }

/* A line for the user: kind 1 information, 2 warning, 3 error. */
static inline pt_reply pt_ui_message(uint32_t kind, const char *text, uint32_t len) {
  PT_TRAP3(PT_CALL_UI_MESSAGE, kind, text, len);
}
/* A Timer event after first_ms, then every period_ms (0: no others). */
static inline pt_reply pt_set_timer(uint32_t number, uint32_t first_ms, uint32_t period_ms) {
  PT_TRAP3(PT_CALL_SET_TIMER, number, first_ms, period_ms);
}
static inline pt_reply pt_cancel_timer(uint32_t number) { PT_TRAP1(PT_CALL_CANCEL_TIMER, number); }
/* May content for this age be shown? The answer is a message. */
static inline pt_reply pt_parental_check(uint32_t age) { PT_TRAP1(PT_CALL_PARENTAL_CHECK, age); }
static inline pt_reply pt_watermark(const void *payload, uint32_t len) {
  PT_TRAP2(PT_CALL_WATERMARK, payload, len);
}

/* Messages to another client of this terminal, where both policies permit it. */
static inline pt_reply pt_channel_open(uint32_t super_scp_id, uint32_t client_id) {
  PT_TRAP2(PT_CALL_CHANNEL_OPEN, super_scp_id, client_id);
}
static inline pt_reply pt_channel_send(uint32_t channel, const void *message, uint32_t len) {
  PT_TRAP3(PT_CALL_CHANNEL_SEND, channel, message, len);
}
/* Content to and from another protection system. */
static inline pt_reply pt_export_session(uint32_t session, const void *target, uint32_t len) {
  PT_TRAP3(PT_CALL_EXPORT_SESSION, session, target, len);
}
static inline pt_reply pt_import_session(const void *offer, uint32_t len) {
  PT_TRAP2(PT_CALL_IMPORT_SESSION, offer, len);
}

/* The smart card of a slot (0): answer to reset, and one command with its answer (ISO 7816-4). */
static inline pt_reply pt_card_reset(uint32_t slot, void *out, uint32_t cap) {
  PT_TRAP3(PT_CALL_CARD_RESET, slot, out, cap);
}
static inline pt_reply pt_card_apdu(uint32_t slot, const void *command, uint32_t len, void *out,
                                    uint32_t cap) {
  PT_TRAP5(PT_CALL_CARD_APDU, slot, command, len, out, cap);
}

#endif
