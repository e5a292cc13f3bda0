#pragma once

#include "certs/directory.h"

/*
 * Who may connect, decided while the connection is made: ZAP 1.0 (ZeroMQ RFC 27) for the CURVE mechanism.
 * Only the holder of a transport key that a usable agent's certificate in the bundle carries comes in. Pure:
 * no sockets.
 */

#define ZAP_ENDPOINT      "inproc://zeromq.zap.01"
#define ZAP_DOMAIN        "concordat"
#define ZAP_REQUEST_MAX   8 /* frames of a request that are looked at; a good one has 7 */
#define ZAP_FRAMES        7
#define ZAP_REPLY_FRAMES  6
#define ZAP_CERTIFICATE   "X-Certificate" /* the property that carries the certificate's digest */
#define ZAP_HEX           (2 * DIGEST_SIZE + 1)
#define ZAP_METADATA_SIZE 128

/* The frames of a request, borrowed. */
struct zap_request {
    struct byte_view frames[ZAP_REQUEST_MAX];
    size_t count; /* as received: may be more than are kept */
};

/* The answer. Frames are borrowed from the request and from this struct, which must not be moved. */
struct zap_reply {
    bool admitted;
    struct byte_view frames[ZAP_REPLY_FRAMES];
    char member[MEMBER_ID_LENGTH + 1];
    uint8_t metadata[ZAP_METADATA_SIZE];
};

/*
 * zap_judge - 200 with the member as User-Id and its certificate's digest in hexadecimal as X-Certificate, or
 * 400 for everything else: another version, domain or mechanism, a key of another length, unknown, of a
 * revoked, expired or not yet valid certificate, or of a broker, authority or log.
 */
void zap_judge(const struct zap_request *request, const struct directory *directory, int64_t now,
               struct zap_reply *ret);
