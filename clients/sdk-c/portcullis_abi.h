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
/* GetMsg */
#define PT_CALL_GET_MSG 0x012
/* SyncCall */
#define PT_CALL_SYNC_CALL 0x013
/* HeapSize */
#define PT_CALL_HEAP_SIZE 0x014
/* StackSize */
#define PT_CALL_STACK_SIZE 0x015
/* CLib */
#define PT_CALL_CLIB 0x016
/* Log */
#define PT_CALL_LOG 0x020
/* GetToken */
#define PT_CALL_GET_TOKEN 0x030
/* TokenInfo */
#define PT_CALL_TOKEN_INFO 0x031
/* PutContent */
#define PT_CALL_PUT_CONTENT 0x032
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
/* AesCmac */
#define PT_CALL_AES_CMAC 0x050
/* HmacSha256 */
#define PT_CALL_HMAC_SHA256 0x051
/* Sha256 */
#define PT_CALL_SHA256 0x052
/* VerifySig */
#define PT_CALL_VERIFY_SIG 0x053
/* HkdfToHandle */
#define PT_CALL_HKDF_TO_HANDLE 0x054
/* Random */
#define PT_CALL_RANDOM 0x055
/* KeyRelease */
#define PT_CALL_KEY_RELEASE 0x056
/* NvRead */
#define PT_CALL_NV_READ 0x060
/* NvWrite */
#define PT_CALL_NV_WRITE 0x061
/* NvMonotonicInc */
#define PT_CALL_NV_MONOTONIC_INC 0x062
/* HttpRequest */
#define PT_CALL_HTTP_REQUEST 0x070
/* TlsConnect */
#define PT_CALL_TLS_CONNECT 0x071
/* TlsSend */
#define PT_CALL_TLS_SEND 0x072
/* NetClose */
#define PT_CALL_NET_CLOSE 0x073
/* UiMessage */
#define PT_CALL_UI_MESSAGE 0x080
/* SetTimer */
#define PT_CALL_SET_TIMER 0x081
/* CancelTimer */
#define PT_CALL_CANCEL_TIMER 0x082
/* ParentalCheck */
#define PT_CALL_PARENTAL_CHECK 0x083
/* ClientStatus */
#define PT_CALL_CLIENT_STATUS 0x084
/* Watermark */
#define PT_CALL_WATERMARK 0x085
/* ChannelOpen */
#define PT_CALL_CHANNEL_OPEN 0x090
/* ChannelSend */
#define PT_CALL_CHANNEL_SEND 0x091
/* ExportSession */
#define PT_CALL_EXPORT_SESSION 0x092
/* ImportSession */
#define PT_CALL_IMPORT_SESSION 0x093
/* CardReset */
#define PT_CALL_CARD_RESET 0x0A0
/* CardApdu */
#define PT_CALL_CARD_APDU 0x0A1

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
/* The scrambled content of the current Descramble event: for each packet PID and length, 16 */
#define PT_TOKEN_CONTENT 4u

/* Octets before each payload of the content: PID, length. */
#define PT_CONTENT_HEAD 4u

/* The operator's EMM signing key, from the verified platform-operation chain. */
#define PT_KEY_OPERATOR_EMM 1u
/* A secret of this client on this chip, made when it is first used; for AesCmac, */
#define PT_KEY_CLIENT_SECRET 2u
/* Handles from here on are keys that HkdfToHandle made. */
#define PT_KEY_FIRST_DERIVED 0x100u

/* A host service that SyncCall asked. */
#define PT_SOURCE_SERVICE 1u
/* The network: a request or a connection. */
#define PT_SOURCE_NETWORK 2u
/* The parental check. */
#define PT_SOURCE_PARENTAL 3u
/* Another client of this terminal. */
#define PT_SOURCE_CLIENT 4u

/* A message waits for GetMsg: (MESSAGE, source, number, octets). */
#define PT_PLAYER_MESSAGE 1u

/* Octets of a message before its body: source, number. */
#define PT_MESSAGE_HEAD 8u

/* HttpRequest: the answer; a word with the HTTP status, then the body. */
#define PT_NET_ANSWER 1u
/* TlsConnect: the connection stands. */
#define PT_NET_CONNECTED 2u
/* Octets of a connection. */
#define PT_NET_DATA 3u
/* The connection ended. */
#define PT_NET_CLOSED 4u
/* It failed; a line that says why. */
#define PT_NET_FAILED 5u

/* GET, without a body. */
#define PT_METHOD_GET 1u
/* POST. */
#define PT_METHOD_POST 2u

/* The time: 8 octets, seconds since 1970, big-endian. The request is empty. */
#define PT_SERVICE_TIME 1u
/* The terminal: a JSON object. The request is empty. */
#define PT_SERVICE_TERMINAL 2u
/* The client's globally unique SCP id: 32 octets. The request is empty. */
#define PT_SERVICE_SCP_ID 3u

/* The programme may be shown. */
#define PT_PARENTAL_ALLOWED 1u
/* It may not. */
#define PT_PARENTAL_DENIED 2u

/* (to, from, len): memmove. */
#define PT_CLIB_MEMMOVE 1u
/* (to, octet, len): memset. */
#define PT_CLIB_MEMSET 2u
/* (a, b, len) -> -1, 0 or 1: memcmp. */
#define PT_CLIB_MEMCMP 3u
/* (text, 0, most) -> length: strnlen. */
#define PT_CLIB_STRNLEN 4u

/* Timers of one client, numbered from 0. */
#define PT_TIMERS 8u
/* Shortest time of a timer, in milliseconds. */
#define PT_TIMER_MIN_MS 10u
/* Longest time of a timer, in milliseconds: seven days. */
#define PT_TIMER_MAX_MS (7 * 24 * 3600 * 1000u)

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
/* There is no card in the slot. */
#define PT_STATUS_NO_CARD (-13)

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
