/* What members show of the log when they say hello, and how it stands with each witness. */
#include <inttypes.h>
#include <string.h>

#include "broker/logproof.h"
#include "broker/witnessing_parts.h"
#include "proto/checkpoint.h"

/* ---- checkpoints that members show ---- */

/* Our key signed more than checkpoint.db knows: some part of the folder is an older copy. */
static enum status judge_ahead(struct witnessing *witnessing, const char *member,
                               const struct checkpoint *shown, struct witnessing_word *word)
{
    const uint64_t newest = logbook_checkpoint(witnessing->logbook).size;

    witnessing_say(word, WITNESSING_FORKED,
                   "%s holds a checkpoint of %" PRIu64
                   " entries that this log's key signed, but this folder knows only of %" PRIu64
                   " signed ones: it is an older copy, and going on would fork the log",
                   member, shown->size, newest);
    return STATUS_OK;
}

static enum status judge_root(struct witnessing *witnessing, const char *member,
                              const struct checkpoint *shown, struct witnessing_word *word)
{
    const struct logbook_checkpoint newest = logbook_checkpoint(witnessing->logbook);
    struct digest root = newest.root;
    enum status status = shown->size == newest.size
                             ? STATUS_OK
                             : logproof_root(logbook_store(witnessing->logbook), shown->size, &root);

    if (status == STATUS_OK && memcmp(&root, &shown->root, sizeof root) != 0)
        witnessing_say(word, WITNESSING_FORKED,
                       "%s holds a checkpoint that this log's key signed, whose first %" PRIu64
                       " entries are not those of this log: the log was forked",
                       member, shown->size);
    return status;
}

enum status witnessing_look(struct witnessing *witnessing, const char *member, struct byte_view note,
                            struct witnessing_shown *ret_shown, struct witnessing_word *word)
{
    struct checkpoint shown;
    enum status status = checkpoint_open(note, logbook_key(witnessing->logbook), NULL, &shown);

    if (status == STATUS_NO_MEMORY || status == STATUS_CRYPTO)
        return status;
    if (status != STATUS_OK) {
        witnessing->bad_notes++;
        witnessing_say(word, WITNESSING_BAD_NOTE,
                       "%s shows a checkpoint that this log's key did not sign (%s): it counts for nothing",
                       member, status_text(status));
        return STATUS_OK;
    }
    status = shown.size > logbook_checkpoint(witnessing->logbook).size
                 ? judge_ahead(witnessing, member, &shown, word)
                 : judge_root(witnessing, member, &shown, word);
    if (status == STATUS_OK)
        ret_shown->size = shown.size;
    return status;
}

enum status witnessing_hello(struct witnessing *witnessing, const char *member, uint64_t connection,
                             struct byte_view note, struct witnessing_word *ret_word)
{
    const size_t index = witnesses_find(witnessing->keys, member);
    struct witnessing_word word = {.outcome = WITNESSING_FINE};
    struct witnessing_shown shown = {.size = 0};
    enum status status =
        note.size == 0 ? STATUS_OK : witnessing_look(witnessing, member, note, &shown, &word);

    if (status != STATUS_OK)
        return status;
    if (index < witnesses_count(witnessing->keys)) {
        struct witnessing_one *one = &witnessing->list[index];
        one->connection = connection;
        one->sent = 0;
        one->resent = false;
        one->known = shown.size;
        one->heard = one->heard || word.outcome == WITNESSING_FINE;
    }
    *ret_word = word;
    return STATUS_OK;
}

void witnessing_gone(struct witnessing *witnessing, uint64_t connection)
{
    for (size_t i = 0; i < witnesses_count(witnessing->keys); i++) {
        if (witnessing->list[i].connection == connection)
            witnessing->list[i].connection = 0;
    }
}

bool witnessing_expects(const struct witnessing *witnessing, const char *member)
{
    const size_t index = witnesses_find(witnessing->keys, member);

    return index < witnesses_count(witnessing->keys) && witnessing->offered > 0 &&
           witnessing->list[index].line_size == 0;
}

static size_t heard_count(const struct witnessing *witnessing)
{
    size_t count = 0;

    for (size_t i = 0; i < witnesses_count(witnessing->keys); i++)
        count += witnessing->list[i].heard;
    return count;
}

bool witnessing_may_sign(struct witnessing *witnessing)
{
    witnessing->clear = witnessing->clear || witnesses_heard(witnessing->keys, heard_count(witnessing));
    return witnessing->clear;
}

/* ---- for status ---- */

struct witnessing_summary witnessing_summary(const struct witnessing *witnessing)
{
    const size_t count = witnesses_count(witnessing->keys);
    const size_t heard = heard_count(witnessing);
    struct witnessing_summary summary = {.count = count,
                                         .quorum = witnesses_quorum(witnessing->keys),
                                         .dishonest = witnesses_dishonest(witnessing->keys),
                                         .heard = heard,
                                         .may_sign =
                                             witnessing->clear || witnesses_heard(witnessing->keys, heard),
                                         .offered = witnessing->offered,
                                         .bad_notes = witnessing->bad_notes};

    for (size_t i = 0; i < count; i++)
        summary.cosigned += witnessing->list[i].line_size > 0;
    return summary;
}

struct witnessing_state witnessing_state(const struct witnessing *witnessing, size_t index)
{
    const struct witnessing_one *one = &witnessing->list[index];

    return (struct witnessing_state){.member = witnesses_member(witnessing->keys, index),
                                     .connected = one->connection != 0,
                                     .heard = one->heard,
                                     .size = one->cosigned,
                                     .time = one->time,
                                     .current = one->line_size > 0,
                                     .refused = one->refused,
                                     .bad = one->bad};
}
