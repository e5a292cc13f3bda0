#include "broker/subjects.h"

#include <stdlib.h>
#include <string.h>

#define VERSION     2 /* 1 knew nothing of merges */
#define STATE_LIMIT ((size_t)64 << 10)
#define BUCKETS     1024u

struct subjects {
    struct store *store; /* borrowed */
    struct subject *buckets[BUCKETS];
    size_t count;
    size_t most;
    uint64_t clock; /* counts uses */
    struct byte_buffer scratch;
};

enum status subjects_new(struct store *store, size_t most, struct subjects **ret)
{
    struct subjects *subjects = calloc(1, sizeof *subjects);

    if (subjects == NULL)
        return STATUS_NO_MEMORY;
    subjects->store = store;
    subjects->most = most;
    subjects->scratch = bytes_buffer(STATE_LIMIT);
    *ret = subjects;
    return STATUS_OK;
}

void subjects_free(struct subjects **subjects)
{
    if (*subjects == NULL)
        return;
    subjects_forget(*subjects);
    bytes_buffer_free(&(*subjects)->scratch);
    free(*subjects);
    *subjects = NULL;
}

/* ---- the stored form: version ‖ version of the subject ‖ change ‖ grounds ‖ merged ‖ standing ‖ register's
 * own form. Bits of consents count them by their place in the register's form, whatever the protocol's order
 * is. ----
 */

static void write_grounds(const struct subject *subject, struct byte_buffer *out)
{
    for (size_t i = 0; i < REGISTER_GROUNDS; i++) {
        const struct subject_ground *ground = &subject->grounds[i];
        if (!ground->set)
            continue;
        bytes_append_u8(out, (uint8_t)i);
        bytes_append_u64(out, ground->place.batch);
        bytes_append_u16(out, (uint16_t)ground->place.index);
        bytes_append_u64(out, ground->entry);
    }
    bytes_append_u8(out, UINT8_MAX);
}

static void write_merged(const struct subject *subject, struct byte_buffer *out)
{
    bytes_append_u8(out, (uint8_t)subject->merged_count);
    for (size_t i = 0; i < subject->merged_count; i++) {
        bytes_append_u64(out, subject->merged[i].batch);
        bytes_append_u16(out, (uint16_t)subject->merged[i].index);
    }
}

static void write_standing(const struct subject *subject, struct byte_buffer *out)
{
    bytes_append_u8(out, (uint8_t)subject->standing_count);
    for (size_t i = 0; i < subject->standing_count; i++) {
        const struct subject_standing *standing = &subject->standing[i];
        bytes_append(out, standing->event, STORE_EVENT_SIZE);
        bytes_append_u32(out, standing->sender);
        bytes_append_u64(out, standing->place.batch);
        bytes_append_u16(out, (uint16_t)standing->place.index);
        bytes_append_u16(out, standing->reached_count);
        for (size_t j = 0; j < standing->reached_count; j++)
            bytes_append_u32(out, standing->reached[j]);
    }
}

static void write_subject(const struct subject *subject, struct byte_buffer *out)
{
    bytes_append_u8(out, VERSION);
    bytes_append_u64(out, subject->version);
    bytes_append_u64(out, (uint64_t)subject->changed_at);
    write_grounds(subject, out);
    write_merged(subject, out);
    write_standing(subject, out);
    register_encode(&subject->state, out);
}

static void read_grounds(struct byte_reader *reader, struct subject *subject)
{
    for (uint8_t bit = bytes_read_u8(reader); bit != UINT8_MAX && !reader->failed;
         bit = bytes_read_u8(reader)) {
        struct subject_ground ground = {.set = true};
        ground.place.batch = bytes_read_u64(reader);
        ground.place.index = bytes_read_u16(reader);
        ground.entry = bytes_read_u64(reader);
        if (bit < REGISTER_GROUNDS)
            subject->grounds[bit] = ground;
    }
}

static void read_merged(struct byte_reader *reader, struct subject *subject)
{
    size_t count = bytes_read_u8(reader);

    if (count > SUBJECTS_MERGED_MAX)
        reader->failed = true;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        subject->merged[i].batch = bytes_read_u64(reader);
        subject->merged[i].index = bytes_read_u16(reader);
    }
    subject->merged_count = reader->failed ? 0 : count;
}

static void read_standing(struct byte_reader *reader, struct subject *subject)
{
    size_t count = bytes_read_u8(reader);

    if (count > SUBJECTS_STANDING_MAX)
        reader->failed = true;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct subject_standing *standing = &subject->standing[i];
        bytes_read_into(reader, standing->event, STORE_EVENT_SIZE);
        standing->sender = bytes_read_u32(reader);
        standing->place.batch = bytes_read_u64(reader);
        standing->place.index = bytes_read_u16(reader);
        standing->reached_count = bytes_read_u16(reader);
        if (standing->reached_count > WIRE_TO_MAX)
            reader->failed = true;
        for (size_t j = 0; j < standing->reached_count && !reader->failed; j++)
            standing->reached[j] = bytes_read_u32(reader);
    }
    subject->standing_count = reader->failed ? 0 : count;
}

static enum status read_subject(struct byte_view bytes, struct subject *subject)
{
    struct byte_reader reader = bytes_reader(bytes);

    uint8_t version = bytes_read_u8(&reader);

    if (version != VERSION && version != 1)
        return STATUS_CORRUPT;
    subject->version = bytes_read_u64(&reader);
    subject->changed_at = (int64_t)bytes_read_u64(&reader);
    read_grounds(&reader, subject);
    if (version > 1)
        read_merged(&reader, subject);
    read_standing(&reader, subject);
    if (reader.failed || register_decode(reader.rest, &subject->state) != STATUS_OK)
        return STATUS_CORRUPT;
    return STATUS_OK;
}

enum status subjects_read(struct byte_view stored, struct subject_record *ret_record)
{
    struct subject *subject = calloc(1, sizeof *subject);
    enum status status = subject == NULL ? STATUS_NO_MEMORY : read_subject(stored, subject);

    if (status == STATUS_OK) {
        ret_record->state = subject->state;
        ret_record->merged_count = subject->merged_count;
        memcpy(ret_record->merged, subject->merged, sizeof ret_record->merged);
    }
    free(subject);
    return status;
}

/* ---- the cache ---- */

/* Pseudonyms are uniform: four of their bytes are as good as any hash. */
static struct subject **bucket_of(struct subjects *subjects, const uint8_t *pseudonym)
{
    return &subjects->buckets[bytes_get_u32(pseudonym + 4) % BUCKETS];
}

static enum status load(struct subjects *subjects, struct subject *subject)
{
    struct byte_view stored;
    enum status status =
        store_get_subject(subjects->store, bytes_view(subject->key, subject->key_size), &stored);

    if (status == STATUS_NOT_FOUND) {
        register_init(&subject->state);
        return STATUS_OK;
    }
    return status == STATUS_OK ? read_subject(stored, subject) : status;
}

enum status subjects_get(struct subjects *subjects, const struct protocol *protocol,
                         const uint8_t pseudonym[static CORE_SUBJECT_SIZE], struct subject **ret)
{
    struct subject **bucket = bucket_of(subjects, pseudonym);
    size_t id_size = strlen(protocol->id);
    struct subject *subject;
    enum status status;

    for (subject = *bucket; subject != NULL; subject = subject->next) {
        if (subject->protocol == protocol && memcmp(subject->key, pseudonym, CORE_SUBJECT_SIZE) == 0) {
            subject->used = ++subjects->clock;
            *ret = subject;
            return STATUS_OK;
        }
    }
    if (id_size > PROTOCOL_ID_LENGTH)
        return STATUS_TOO_LARGE;
    subject = calloc(1, sizeof *subject);
    if (subject == NULL)
        return STATUS_NO_MEMORY;
    subject->protocol = protocol;
    subject->changed_at = INT64_MIN;
    subject->key_size = CORE_SUBJECT_SIZE + id_size;
    memcpy(subject->key, pseudonym, CORE_SUBJECT_SIZE);
    memcpy(subject->key + CORE_SUBJECT_SIZE, protocol->id, id_size);
    status = load(subjects, subject);
    if (status != STATUS_OK) {
        free(subject);
        return status;
    }
    subject->used = ++subjects->clock;
    subject->next = *bucket;
    *bucket = subject;
    subjects->count++;
    *ret = subject;
    return STATUS_OK;
}

static enum status save(struct subjects *subjects, struct subject *subject)
{
    bytes_buffer_clear(&subjects->scratch);
    write_subject(subject, &subjects->scratch);
    if (subjects->scratch.status != STATUS_OK)
        return subjects->scratch.status;
    subject->dirty = false;
    return store_put_subject(subjects->store, bytes_view(subject->key, subject->key_size),
                             bytes_buffer_view(&subjects->scratch));
}

enum status subjects_save(struct subjects *subjects)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < BUCKETS; i++) {
        for (struct subject *subject = subjects->buckets[i]; status == STATUS_OK && subject != NULL;
             subject = subject->next) {
            if (subject->dirty)
                status = save(subjects, subject);
        }
    }
    return status;
}

/* Lets go of those that were last used at or before a moment. */
static void drop_until(struct subjects *subjects, uint64_t moment)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        struct subject **link = &subjects->buckets[i];
        while (*link != NULL) {
            struct subject *subject = *link;
            if (subject->used > moment) {
                link = &subject->next;
                continue;
            }
            *link = subject->next;
            subjects->count--;
            free(subject);
        }
    }
}

void subjects_trim(struct subjects *subjects)
{
    if (subjects->count <= subjects->most)
        return;
    /* Each use has its own moment, so at most `most` can lie after this one. */
    drop_until(subjects, subjects->clock - subjects->most);
}

void subjects_forget(struct subjects *subjects)
{
    drop_until(subjects, UINT64_MAX);
}

struct subject_standing *subjects_standing(struct subject *subject, uint32_t sender,
                                           const uint8_t event[static STORE_EVENT_SIZE])
{
    for (size_t i = 0; i < subject->standing_count; i++) {
        struct subject_standing *standing = &subject->standing[i];
        if (standing->sender == sender && memcmp(standing->event, event, STORE_EVENT_SIZE) == 0)
            return standing;
    }
    return NULL;
}

void subjects_unstand(struct subject *subject, struct subject_standing *standing)
{
    size_t place = (size_t)(standing - subject->standing);

    subject->standing_count--;
    memmove(standing, standing + 1, (subject->standing_count - place) * sizeof *standing);
}

struct subject_standing *subjects_stand(struct subject *subject)
{
    struct subject_standing *standing;

    if (subject->standing_count == SUBJECTS_STANDING_MAX)
        subjects_unstand(subject, &subject->standing[0]);
    standing = &subject->standing[subject->standing_count++];
    memset(standing, 0, sizeof *standing);
    return standing;
}

void subjects_reach(struct subject_standing *standing, uint32_t member)
{
    for (size_t i = 0; i < standing->reached_count; i++) {
        if (standing->reached[i] == member)
            return;
    }
    if (standing->reached_count < WIRE_TO_MAX)
        standing->reached[standing->reached_count++] = member;
}

bool subjects_unreach(struct subject_standing *standing, uint32_t member)
{
    for (size_t i = 0; i < standing->reached_count; i++) {
        if (standing->reached[i] != member)
            continue;
        standing->reached[i] = standing->reached[--standing->reached_count];
        return true;
    }
    return false;
}

int subjects_compare_places(const void *a, const void *b)
{
    const struct store_place *left = a;
    const struct store_place *right = b;

    if (left->batch != right->batch)
        return left->batch < right->batch ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

bool subjects_add_merged(struct subject *subject, struct store_place place)
{
    size_t at = 0;

    while (at < subject->merged_count && subjects_compare_places(&subject->merged[at], &place) < 0)
        at++;
    if (at < subject->merged_count && subjects_compare_places(&subject->merged[at], &place) == 0)
        return true;
    if (subject->merged_count == SUBJECTS_MERGED_MAX)
        return false;
    memmove(&subject->merged[at + 1], &subject->merged[at],
            (subject->merged_count - at) * sizeof subject->merged[0]);
    subject->merged[at] = place;
    subject->merged_count++;
    return true;
}
