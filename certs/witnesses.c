#include "certs/witnesses.h"

#include <stdlib.h>
#include <string.h>

struct witnesses {
    size_t count;
    uint32_t quorum;
    uint32_t dishonest;
    struct {
        char member[MEMBER_ID_LENGTH + 1];
        struct note_key *key;
    } list[WITNESSES_MAX];
};

bool witnesses_good_quorum(size_t n, uint32_t k, uint32_t f)
{
    if (n == 0)
        return k == 0 && f == 0;
    return n <= WITNESSES_MAX && k <= n && (uint64_t)2 * k > (uint64_t)n + f;
}

uint32_t witnesses_least_quorum(size_t n, uint32_t f)
{
    return n == 0 ? 0 : (uint32_t)(((uint64_t)n + f) / 2 + 1);
}

bool witnesses_good_key(const char *member, const char *vkey)
{
    struct note_key *key = NULL;
    char again[NOTE_KEY_VKEY_SIZE];
    bool good = note_key_parse(bytes_of_string(vkey), &key) == STATUS_OK;

    if (good) {
        note_key_vkey(key, again);
        good = note_key_type(key) == NOTE_KEY_COSIGNATURE && strcmp(again, vkey) == 0 &&
               bytes_equal(note_key_name(key), bytes_of_string(member));
    }
    note_key_free(&key);
    return good;
}

enum status witnesses_new(const struct bundle *bundle, struct witnesses **ret)
{
    struct witnesses *witnesses = calloc(1, sizeof *witnesses);
    size_t n = bundle_witness_count(bundle);
    enum status status = n > WITNESSES_MAX ? STATUS_BAD_FORMAT : STATUS_OK;

    if (witnesses == NULL)
        return STATUS_NO_MEMORY;
    witnesses->quorum = bundle_witness_quorum(bundle);
    witnesses->dishonest = bundle_witness_dishonest(bundle);
    for (size_t i = 0; status == STATUS_OK && i < n; i++) {
        const char *member = bundle_witness_member(bundle, i);
        memcpy(witnesses->list[i].member, member, strnlen(member, MEMBER_ID_LENGTH));
        status = note_key_parse(bytes_of_string(bundle_witness_vkey(bundle, i)), &witnesses->list[i].key);
        witnesses->count += status == STATUS_OK;
    }
    if (status == STATUS_OK)
        *ret = witnesses;
    else
        witnesses_free(&witnesses);
    return status;
}

void witnesses_free(struct witnesses **witnesses)
{
    if (*witnesses == NULL)
        return;
    for (size_t i = 0; i < (*witnesses)->count; i++)
        note_key_free(&(*witnesses)->list[i].key);
    free(*witnesses);
    *witnesses = NULL;
}

size_t witnesses_count(const struct witnesses *witnesses)
{
    return witnesses->count;
}

const char *witnesses_member(const struct witnesses *witnesses, size_t index)
{
    return witnesses->list[index].member;
}

const struct note_key *witnesses_key(const struct witnesses *witnesses, size_t index)
{
    return witnesses->list[index].key;
}

size_t witnesses_find(const struct witnesses *witnesses, const char *member)
{
    size_t i = 0;

    while (i < witnesses->count && strcmp(witnesses->list[i].member, member) != 0)
        i++;
    return i;
}

uint32_t witnesses_quorum(const struct witnesses *witnesses)
{
    return witnesses->quorum;
}

uint32_t witnesses_dishonest(const struct witnesses *witnesses)
{
    return witnesses->dishonest;
}

bool witnesses_final(const struct witnesses *witnesses, size_t count)
{
    return count >= witnesses->quorum;
}

bool witnesses_heard(const struct witnesses *witnesses, size_t count)
{
    return witnesses->count == 0 || count + witnesses->quorum > witnesses->count + witnesses->dishonest;
}

enum status witnesses_signed(const struct witnesses *witnesses, const struct note *note,
                             struct note_signed *ret_signed, size_t *ret_count, size_t *ret_bad)
{
    size_t count = 0;
    size_t bad = 0;

    for (size_t i = 0; i < witnesses->count; i++) {
        const struct note_key *const key = witnesses->list[i].key;
        struct note_signed one = {0};
        enum status status = note_verify(note, &key, 1, &one);
        if (status != STATUS_OK && status != STATUS_UNKNOWN_KEY && status != STATUS_BAD_SIGNATURE)
            return status;
        ret_signed[i] = status == STATUS_OK ? one : (struct note_signed){0};
        count += ret_signed[i].by;
        bad += status == STATUS_BAD_SIGNATURE;
    }
    *ret_count = count;
    if (ret_bad != NULL)
        *ret_bad = bad;
    return STATUS_OK;
}
