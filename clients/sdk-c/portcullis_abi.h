/* Made from crates/svm/src/abi.rs; do not change it by hand. The test c_header of that
   crate compares it and says how to make it anew. */
#ifndef PORTCULLIS_ABI_H
#define PORTCULLIS_ABI_H

/* Where a client's writable memory begins. The code image lies below, at its load offset. */
#define PT_RAM_BASE 0x10000000u
/* Size of the unmapped gap between writable memory and the stack above it. */
#define PT_GUARD_BYTES 4096u
/* Top of the stack of a plain program (svm run of an ELF file). */
#define PT_PROGRAM_STACK_TOP 0x7FF00000u
/* The return address a handler starts with: a jump here ends the event. */
#define PT_RETURN_ADDRESS 0xFFFFFFF0u
/* System call ids are the 12-bit immediate of TRAP, non-negative: 0 to 0x7FF. */
#define PT_SYSCALL_IDS 0x800
/* First id of the provider-private range. */
#define PT_PROVIDER_PRIVATE 0x400
/* Fewest elements of an event parameter buffer. */
#define PT_EVENT_BUFFER_MIN 16u
/* Most elements of an event parameter buffer. */
#define PT_EVENT_BUFFER_MAX 1024u
/* Elements before the parameters: event id and return value. */
#define PT_EVENT_BUFFER_HEADER 2u
/* Most parameters of one event. */
#define PT_EVENT_PARAMS_MAX 14
/* Most octets one system call moves through one pointer. */
#define PT_CALL_BYTES_MAX (64 * 1024u)

/* SetEventHandler */
#define PT_CALL_SET_EVENT_HANDLER 0x001
/* SetEventParamBuffer */
#define PT_CALL_SET_EVENT_PARAM_BUFFER 0x002
/* Exit */
#define PT_CALL_EXIT 0x010
/* PutMsg */
#define PT_CALL_PUT_MSG 0x011
/* HeapSize */
#define PT_CALL_HEAP_SIZE 0x014
/* StackSize */
#define PT_CALL_STACK_SIZE 0x015
/* Log */
#define PT_CALL_LOG 0x020
/* GetToken */
#define PT_CALL_GET_TOKEN 0x030
/* TokenInfo */
#define PT_CALL_TOKEN_INFO 0x031
/* KlSetVendor */
#define PT_CALL_KL_SET_VENDOR 0x040
/* KlSetEk2 */
#define PT_CALL_KL_SET_EK2 0x042
/* KlSetEk1 */
#define PT_CALL_KL_SET_EK1 0x043
/* KlLoadCw */
#define PT_CALL_KL_LOAD_CW 0x044
/* KlChallenge */
#define PT_CALL_KL_CHALLENGE 0x045
/* KlOpenMessage */
#define PT_CALL_KL_OPEN_MESSAGE 0x046
/* KlRelease */
#define PT_CALL_KL_RELEASE 0x047
/* Sha256 */
#define PT_CALL_SHA256 0x052
/* VerifySig */
#define PT_CALL_VERIFY_SIG 0x053
/* Random */
#define PT_CALL_RANDOM 0x055
/* NvRead */
#define PT_CALL_NV_READ 0x060
/* NvWrite */
#define PT_CALL_NV_WRITE 0x061
/* NvMonotonicInc */
#define PT_CALL_NV_MONOTONIC_INC 0x062
/* ClientStatus */
#define PT_CALL_CLIENT_STATUS 0x084

/* Initialize */
#define PT_EVENT_INITIALIZE 1u
/* SelectContent */
#define PT_EVENT_SELECT_CONTENT 2u
/* Entitlement */
#define PT_EVENT_ENTITLEMENT 3u
/* ChangeKey */
#define PT_EVENT_CHANGE_KEY 4u
/* Descramble */
#define PT_EVENT_DESCRAMBLE 5u
/* Player */
#define PT_EVENT_PLAYER 6u
/* Timer */
#define PT_EVENT_TIMER 7u
/* Terminate */
#define PT_EVENT_TERMINATE 8u

/* The EMM section of the current Entitlement event. */
#define PT_TOKEN_EMM 1u
/* The ECM section of the current ChangeKey event. */
#define PT_TOKEN_ECM 2u
/* Id of the key that handle 1 of VerifySig stands for. */
#define PT_TOKEN_SIGNER 3u

/* The operator's EMM signing key, from the verified platform-operation chain. */
#define PT_KEY_OPERATOR_EMM 1u

/* Done. */
#define PT_STATUS_OK (0)
/* An argument makes no sense (not a bad pointer: that stops the client). */
#define PT_STATUS_BAD_ARGUMENT (-1)
/* No such token, record or handle. */
#define PT_STATUS_NOT_FOUND (-2)
/* The output buffer is too small; x10 holds the length needed. */
#define PT_STATUS_TOO_SMALL (-3)
/* The message does not authenticate under this chip's keys. */
#define PT_STATUS_BAD_MAC (-4)
/* The bit of this chip in the group EMM is clear: K1 was not loaded. */
#define PT_STATUS_NOT_MEMBER (-5)
/* A key of the ladder that this call needs is not loaded. */
#define PT_STATUS_NO_KEY (-6)
/* The quota of storage, log or calls is used up. */
#define PT_STATUS_QUOTA (-7)
/* The signature does not verify. */
#define PT_STATUS_BAD_SIGNATURE (-8)
/* The message has no legal form. */
#define PT_STATUS_MALFORMED (-9)
/* Not the vendor of the verified package. */
#define PT_STATUS_WRONG_VENDOR (-10)
/* This terminal does not have the function. */
#define PT_STATUS_UNSUPPORTED (-11)
/* The chip or the storage failed. */
#define PT_STATUS_DEVICE (-12)

/* Done. */
#define PT_REASON_OK 0u
/* No entitlement for the product. */
#define PT_REASON_NOT_ENTITLED 1u
/* Entitled, but K1 of the epoch has not come. */
#define PT_REASON_NO_KEY 2u
/* The message could not be read or authenticated. */
#define PT_REASON_BAD_MESSAGE 3u
/* The entitlement has ended. */
#define PT_REASON_EXPIRED 4u
/* An older message was played again. */
#define PT_REASON_REPLAYED 5u
/* The message is for other terminals. */
#define PT_REASON_NOT_FOR_US 6u

#endif
