#include "policy/replaying.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX    10000
#define SENTENCE_SIZE 1024

/* Disclosures that change in the same way. */
struct group {
    char sentence[SENTENCE_SIZE]; /* without count and example */
    uint64_t count;
    uint64_t first; /* line */
};

struct replaying {
    struct protocol before; /* copies that are always in force; all they point at is borrowed */
    struct protocol after;
    struct replay_bound old_facts, new_facts;
    struct policy_decision old_decision, new_decision;
    struct group *groups;
    size_t count;
    size_t capacity;
    uint64_t lines;
    uint64_t others;      /* lines about another protocol */
    uint64_t corrections; /* which follow what they correct, whatever a protocol says now */
    uint64_t disclosures; /* under the old version */
    uint64_t refused;     /* of those, no longer under the new */
    uint64_t granted;     /* new ones */
    uint64_t changed;     /* the same, with other items */
    uint64_t unlike;      /* lines that the old version decides otherwise than the log has it */
    uint64_t first_unlike;
};

static struct protocol always(const struct protocol *protocol)
{
    struct protocol copy = *protocol;

    copy.in_force_from = INT64_MIN;
    copy.in_force_until = INT64_MAX;
    return copy;
}

struct replaying *replaying_new(const struct protocol *before, const struct protocol *after)
{
    struct replaying *replaying = calloc(1, sizeof *replaying);

    if (replaying == NULL)
        return NULL;
    replaying->before = always(before);
    replaying->after = always(after);
    return replaying;
}

void replaying_free(struct replaying **replaying)
{
    if (*replaying == NULL)
        return;
    free((*replaying)->groups);
    free(*replaying);
    *replaying = NULL;
}

static enum status tally(struct replaying *replaying, const char *sentence, uint64_t line)
{
    size_t capacity = replaying->capacity == 0 ? 64 : replaying->capacity * 2;
    struct group *groups;

    for (size_t i = 0; i < replaying->count; i++) {
        if (strcmp(replaying->groups[i].sentence, sentence) == 0) {
            replaying->groups[i].count++;
            return STATUS_OK;
        }
    }
    if (replaying->count == GROUPS_MAX)
        return STATUS_TOO_LARGE;
    if (replaying->count == replaying->capacity) {
        groups = realloc(replaying->groups, capacity * sizeof *groups);
        if (groups == NULL)
            return STATUS_NO_MEMORY;
        replaying->groups = groups;
        replaying->capacity = capacity;
    }
    snprintf(replaying->groups[replaying->count].sentence, SENTENCE_SIZE, "%s", sentence);
    replaying->groups[replaying->count].count = 1;
    replaying->groups[replaying->count++].first = line;
    return STATUS_OK;
}

/* A decision, or an empty one when the catalogue has no such event type. */
static void decide(const struct replay *replay, const struct protocol *protocol, struct replay_bound *bound,
                   struct policy_decision *ret)
{
    if (replay_bind(replay, protocol, bound))
        policy_decide(protocol, &bound->facts, &bound->request, bound->at, ret);
    else
        policy_not_yours(CATALOGUE_NONE, ret);
}

/* Why a decision gives a member nothing. */
static void write_why(const struct protocol *protocol, const struct policy_decision *decision, const char *to,
                      char out[static POLICY_TEXT_SIZE])
{
    uint16_t party = protocol_find_party(protocol, bytes_of_string(to));
    const struct policy_refusal *found = NULL;

    if (party == PROTOCOL_NONE) {
        snprintf(out, POLICY_TEXT_SIZE, "%s is no party to it.", to);
        return;
    }
    for (uint16_t i = 0; i < decision->refusal_count; i++) {
        const struct policy_refusal *refusal = &decision->refusals[i];
        uint16_t class = protocol->parties[party].class_index;

        if (refusal->party == party ||
            (refusal->party == PROTOCOL_NONE &&
             (refusal->class_index == class || refusal->class_index == PROTOCOL_NONE)))
            found = refusal;
    }
    if (found != NULL)
        policy_refusal_text(protocol, decision, found, out);
    else
        snprintf(out, POLICY_TEXT_SIZE, "no rule gives it to them.");
}

static enum status add_refused(struct replaying *replaying, const struct replay *replay, const char *to,
                               uint64_t line)
{
    char sentence[SENTENCE_SIZE], why[POLICY_TEXT_SIZE];

    write_why(&replaying->after, &replaying->new_decision, to, why);
    snprintf(sentence, sizeof sentence, "%s from %s to %s would now be refused: %s", replay_event(replay),
             replay_from(replay), to, why);
    replaying->refused++;
    return tally(replaying, sentence, line);
}

static enum status add_granted(struct replaying *replaying, const struct replay *replay,
                               const struct policy_recipient *recipient, uint64_t line)
{
    char sentence[SENTENCE_SIZE], why[POLICY_TEXT_SIZE];

    write_why(&replaying->before, &replaying->old_decision, recipient->to, why);
    snprintf(sentence, sizeof sentence, "%s from %s to %s would now be granted, under rule %s. Before: %s",
             replay_event(replay), replay_from(replay), recipient->to, recipient->rule, why);
    replaying->granted++;
    return tally(replaying, sentence, line);
}

static void append_list(char *out, size_t size, const char *intro, const char *name)
{
    size_t used = strlen(out);

    snprintf(out + used, size - used, "%s%s", intro, name);
}

/* Names of labels that a recipient of one catalogue has and one of another has not. */
static bool write_surplus(const struct catalogue *catalogue, const struct label_set *labels,
                          const struct catalogue *other, const struct label_set *others, const char *intro,
                          char *out, size_t size)
{
    bool some = false;

    for (unsigned i = label_set_next(labels, 0); i < SET256_END; i = label_set_next(labels, i + 1)) {
        uint16_t label = catalogue_find_label(other, bytes_of_string(catalogue->labels[i].label));

        if (label != CATALOGUE_NONE && label_set_has(others, label))
            continue;
        append_list(out, size, some ? ", " : intro, catalogue->labels[i].label);
        some = true;
    }
    return some;
}

static enum status add_changed(struct replaying *replaying, const struct replay *replay,
                               const struct policy_recipient *was, const struct policy_recipient *is,
                               uint64_t line)
{
    const struct catalogue *before = replaying->before.catalogue, *after = replaying->after.catalogue;
    char sentence[SENTENCE_SIZE];
    bool less, more;

    snprintf(sentence, sizeof sentence, "%s from %s to %s", replay_event(replay), replay_from(replay),
             is->to);
    less = write_surplus(before, &was->labels, after, &is->labels, " would now lose ", sentence,
                         sizeof sentence);
    more = write_surplus(after, &is->labels, before, &was->labels, less ? " and gain " : " would now gain ",
                         sentence, sizeof sentence);
    if (!less && !more)
        return STATUS_OK;
    append_list(sentence, sizeof sentence, ".", "");
    replaying->changed++;
    return tally(replaying, sentence, line);
}

/* Is the old decision what the log has? */
static bool as_logged(const struct replaying *replaying, const struct replay *replay)
{
    const struct policy_decision *decision = &replaying->old_decision;
    const struct catalogue *catalogue = replaying->before.catalogue;

    if (decision->recipient_count != replay_disclosed(replay))
        return false;
    for (size_t i = 0; i < replay_disclosed(replay); i++) {
        const struct policy_recipient *recipient =
            policy_recipient(decision, bytes_of_string(replay_recipient(replay, i)));

        if (recipient == NULL)
            return false;
        for (uint16_t label = 0; label < catalogue->label_count; label++) {
            if (label_set_has(&recipient->labels, label) !=
                replay_received(replay, i, catalogue->labels[label].label))
                return false;
        }
    }
    return true;
}

static bool is_correction(const struct catalogue *catalogue, const struct replay *replay)
{
    uint16_t event = catalogue_find_event(catalogue, bytes_of_string(replay_event(replay)));

    return event != CATALOGUE_NONE && catalogue->events[event].corrects != CORRECTION_NONE;
}

enum status replaying_add(struct replaying *replaying, const struct replay *replay, uint64_t line)
{
    const struct policy_decision *old_decision = &replaying->old_decision,
                                 *new_decision = &replaying->new_decision;
    const char *protocol = replay_protocol(replay);
    enum status status = STATUS_OK;

    if (protocol != NULL && strcmp(protocol, replaying->before.id) != 0) {
        replaying->others++;
        return STATUS_OK;
    }
    if (is_correction(replaying->before.catalogue, replay)) {
        replaying->corrections++;
        return STATUS_OK;
    }
    decide(replay, &replaying->before, &replaying->old_facts, &replaying->old_decision);
    decide(replay, &replaying->after, &replaying->new_facts, &replaying->new_decision);
    replaying->lines++;
    replaying->disclosures += old_decision->recipient_count;
    if (!as_logged(replaying, replay) && replaying->unlike++ == 0)
        replaying->first_unlike = line;
    for (uint16_t i = 0; i < old_decision->recipient_count && status == STATUS_OK; i++) {
        const struct policy_recipient *was = &old_decision->recipients[i];
        const struct policy_recipient *is = policy_recipient(new_decision, bytes_of_string(was->to));

        status = is == NULL ? add_refused(replaying, replay, was->to, line)
                            : add_changed(replaying, replay, was, is, line);
    }
    for (uint16_t i = 0; i < new_decision->recipient_count && status == STATUS_OK; i++) {
        if (policy_recipient(old_decision, bytes_of_string(new_decision->recipients[i].to)) == NULL)
            status = add_granted(replaying, replay, &new_decision->recipients[i], line);
    }
    return status;
}

uint64_t replaying_write(const struct replaying *replaying, struct byte_buffer *ret_text)
{
    bytes_append_format(ret_text,
                        "\nPast traffic: %" PRIu64 " events, %" PRIu64 " disclosures under version %u.\n",
                        replaying->lines, replaying->disclosures, replaying->before.version);
    bytes_append_format(ret_text,
                        "Under version %u %" PRIu64 " of them would be refused, %" PRIu64
                        " would have other items, and %" PRIu64 " more would be granted.\n",
                        replaying->after.version, replaying->refused, replaying->changed, replaying->granted);
    if (replaying->unlike > 0)
        bytes_append_format(
            ret_text,
            "%" PRIu64 " events are decided otherwise under version %u than the log has them (the first "
            "on line %" PRIu64 "): they were decided under another version, or facts are missing.\n",
            replaying->unlike, replaying->before.version, replaying->first_unlike);
    if (replaying->others > 0)
        bytes_append_format(ret_text, "%" PRIu64 " events of other protocols were left out.\n",
                            replaying->others);
    if (replaying->corrections > 0)
        bytes_append_format(ret_text, "%" PRIu64 " corrections were left out: they go to whoever was told.\n",
                            replaying->corrections);
    for (size_t i = 0; i < replaying->count; i++)
        bytes_append_format(ret_text, "- %" PRIu64 " times (first on line %" PRIu64 "): %s\n",
                            replaying->groups[i].count, replaying->groups[i].first,
                            replaying->groups[i].sentence);
    return replaying->refused + replaying->changed + replaying->granted;
}
