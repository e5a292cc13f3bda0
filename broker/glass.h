#pragma once

#include "broker/store/store.h"
#include "policy/decide.h"

/*
 * Break-glass uses as the broker keeps count of them: those of the last two days, and those that nobody has
 * confirmed, however old. Belongs to the store thread; kept in the store's state under one name, for they are
 * few: quotas bound what a member can add.
 */
#define GLASS_USES_MAX 4096

struct glass_use {
    uint32_t sender;       /* members by their number in the store */
    uint32_t confirmed_by; /* 0: nobody */
    uint8_t event[STORE_EVENT_SIZE];
    uint8_t subject[36]; /* pseudonym */
    int64_t made;
    int64_t due; /* by when it must be confirmed */
    bool told;   /* that it was not */
    bool lifted; /* settled by the partnership, not confirmed by a member */
    char protocol[PROTOCOL_ID_LENGTH + 1];
    char rule[PROTOCOL_ID_LENGTH + 1];
    char reason[PROTOCOL_ID_LENGTH + 1];
};

struct glass;

/* glass_new - as the store has it. STATUS_CORRUPT, STATUS_NO_MEMORY or what the store returns. */
enum status glass_new(struct store *store, struct glass **ret);
void glass_free(struct glass **glass);

/* glass_reload - take back whatever was not committed. */
enum status glass_reload(struct glass *glass, struct store *store);

/* glass_save - write it down within a transaction, if it changed. Lets go of what no longer counts. */
enum status glass_save(struct glass *glass, struct store *store, int64_t now);

/* glass_facts - what a decision about an override by that sender under that rule rests on. */
struct policy_glass glass_facts(const struct glass *glass, const char *protocol, uint32_t sender,
                                struct byte_view rule, int64_t now);

/* glass_made - one more use, copied. STATUS_NO_MEMORY, or STATUS_TOO_LARGE beyond GLASS_USES_MAX: then this
 * event is not taken, and nothing else stands still. */
enum status glass_made(struct glass *glass, const struct glass_use *use);

/* glass_find - by sender and event, for ids are each sender's own; NULL when it does not count any more, or
 * never did. Valid until the next glass_made, glass_save or glass_reload. */
const struct glass_use *glass_find(const struct glass *glass, uint32_t sender,
                                   const uint8_t event[static STORE_EVENT_SIZE]);

/* glass_waits - nobody has confirmed or lifted it. */
bool glass_waits(const struct glass_use *use);

/* glass_confirm - a use that was found here, by a member; nothing happens when it does not wait. glass_lift -
 * by the partnership. */
void glass_confirm(struct glass *glass, const struct glass_use *use, uint32_t by);
void glass_lift(struct glass *glass, const struct glass_use *use);

/* glass_overdue - one that was not confirmed in time and of which that was not told yet; NULL: none.
 * glass_tell - now it was. */
const struct glass_use *glass_overdue(const struct glass *glass, int64_t now);
void glass_tell(struct glass *glass, const struct glass_use *use);

/* glass_count, glass_at - all of them. */
size_t glass_count(const struct glass *glass);
const struct glass_use *glass_at(const struct glass *glass, size_t position);
