#pragma once

#include "policy/catalogue.h"
#include "policy/party_set.h"

/* Is the person under 18? Nobody may be taken for an adult because nothing was said. */
enum juvenile { JUVENILE_UNKNOWN, JUVENILE_YES, JUVENILE_NO };

#define REQUEST_NO_DATE      INT32_MIN
#define REQUEST_SUBJECT_SIZE 36 /* of a pseudonym */

/*
 * An event as policy sees it: everything that the broker may see of it. Views are borrowed. Fill in type,
 * from, purpose, times and the attributes' values, then call request_read, which checks the values and sets
 * held, asked and juvenile.
 */
struct policy_request {
    uint16_t event;           /* type: index in the catalogue */
    struct byte_view from;    /* member id */
    struct byte_view purpose; /* as stated in the event */
    int64_t occurred;         /* milliseconds */
    int64_t created;
    int32_t effective; /* date, or REQUEST_NO_DATE */
    struct byte_view
        attributes[CATALOGUE_ATTRIBUTES_MAX]; /* by position in the event type; data NULL: absent */
    struct label_set held; /* sealed items that the sender has; attributes with a value count by themselves */
    enum juvenile juvenile;   /* what the sender says */
    struct label_set asked;   /* of a question: the items that it is for */
    bool correlated;          /* it answers another event */
    bool supersedes;          /* it replaces another of the sender's */
    bool repeats;             /* it repeats a standing event for those entitled since */
    bool again;               /* it was accepted before and is looked at anew: what it changed stays */
    struct party_set already; /* repeats only: who had the event before and is left out */
};

/*
 * request_read - check every attribute value and read `held`, `asked_items` and `juvenile` out of them.
 *
 * Returns STATUS_OK, STATUS_NOT_FOUND (no such event type, held names a label that it does not carry, or
 * asked_items one that the catalogue does not have) or
 * what kind_check returns; ret_reason (may be NULL) says which attribute and why. request is then unchanged.
 */
enum status request_read(const struct catalogue *catalogue, struct policy_request *request,
                         struct kind_reason *ret_reason);

/* request_set - give an attribute its value by name; STATUS_NOT_FOUND if the type has no such attribute. */
enum status request_set(const struct catalogue *catalogue, struct policy_request *request, const char *label,
                        struct byte_view value);

/* request_names - is the event about a person that it may be about? A merge names two pseudonyms, and its
 * subject is one of them; other types name none. */
bool request_names(const struct catalogue *catalogue, const struct policy_request *request,
                   const uint8_t subject[static REQUEST_SUBJECT_SIZE]);

/* request_attribute - a value by the label's name; an empty view with data NULL when it is absent. */
struct byte_view request_attribute(const struct catalogue *catalogue, const struct policy_request *request,
                                   const char *label);
