#include "certs/directory.h"

#include <stdlib.h>
#include <string.h>

#include "certs/claims.h"

/* An entry, what it borrows from, and its place in the bundle. */
struct slot {
    struct directory_entry entry; /* first, so that an entry leads back to its slot */
    struct certificate *certificate;
    struct ed25519_key *key;
    char *member_class;
    char *why_revoked;
};

struct directory {
    struct slot *slots; /* in the order of enrolment */
    size_t n;
    /* The same, sorted, for look-ups. */
    const struct directory_entry **by_member; /* by id, then the newest first */
    const struct directory_entry **by_transport;
    size_t n_transport;
    const struct directory_entry **by_digest;
};

enum directory_state directory_state_at(const struct directory_entry *entry, int64_t time)
{
    if (time >= entry->revoked_at)
        return DIRECTORY_REVOKED;
    if (time < entry->not_before)
        return DIRECTORY_NOT_YET;
    return time > entry->not_after ? DIRECTORY_EXPIRED : DIRECTORY_IN_FORCE;
}

const char *directory_state_text(enum directory_state state)
{
    static const char *const texts[] = {
        [DIRECTORY_IN_FORCE] = "in force",
        [DIRECTORY_NOT_YET] = "not valid yet",
        [DIRECTORY_EXPIRED] = "expired",
        [DIRECTORY_REVOKED] = "revoked",
    };

    return texts[state];
}

bool directory_usable(const struct directory_entry *entry, int64_t now)
{
    return entry != NULL && directory_state_at(entry, now) == DIRECTORY_IN_FORCE;
}

static int compare_members(const void *a, const void *b)
{
    const struct directory_entry *left = *(const struct directory_entry *const *)a;
    const struct directory_entry *right = *(const struct directory_entry *const *)b;
    int order = strcmp(left->member, right->member);

    if (order != 0)
        return order;
    if (left->not_before != right->not_before)
        return left->not_before > right->not_before ? -1 : 1;
    /* Issued in the same second: the later enrolled stands later among the slots. */
    return left > right ? -1 : left < right;
}

static int compare_transports(const void *a, const void *b)
{
    const struct directory_entry *left = *(const struct directory_entry *const *)a;
    const struct directory_entry *right = *(const struct directory_entry *const *)b;

    return memcmp(left->transport, right->transport, sizeof left->transport);
}

static int compare_digests(const void *a, const void *b)
{
    const struct directory_entry *left = *(const struct directory_entry *const *)a;
    const struct directory_entry *right = *(const struct directory_entry *const *)b;

    return memcmp(left->digest, right->digest, sizeof left->digest);
}

/* The first place in by_member whose id is not below member; that of the next member when above is set. */
static size_t member_place_of(const struct directory *directory, const char *member, bool above)
{
    size_t low = 0;
    size_t high = directory->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(directory->by_member[middle]->member, member);
        if (order < 0 || (above && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct directory *directory, size_t place, const char *member)
{
    return place < directory->n && strcmp(directory->by_member[place]->member, member) == 0;
}

const struct directory_entry *directory_by_member(const struct directory *directory, const char *member,
                                                  int64_t now)
{
    for (size_t i = member_place_of(directory, member, false); is_at(directory, i, member); i++) {
        if (directory_usable(directory->by_member[i], now))
            return directory->by_member[i];
    }
    return NULL;
}

const struct directory_entry *directory_known(const struct directory *directory, const char *member)
{
    size_t place = member_place_of(directory, member, false);

    return is_at(directory, place, member) ? directory->by_member[place] : NULL;
}

const struct directory_entry *directory_by_sealing_id(const struct directory *directory, const char *member,
                                                      const uint8_t id[static CERTIFICATE_KEY_ID_SIZE])
{
    for (size_t i = member_place_of(directory, member, false); is_at(directory, i, member); i++) {
        const struct directory_entry *entry = directory->by_member[i];
        if (claims_has_transport(entry->role) && memcmp(entry->sealing_id, id, sizeof entry->sealing_id) == 0)
            return entry;
    }
    return NULL;
}

/* Looks for probe among n sorted entries. */
static const struct directory_entry *find(const struct directory_entry **sorted, size_t n,
                                          const struct directory_entry *probe,
                                          int (*compare)(const void *, const void *))
{
    const struct directory_entry **found =
        n == 0 ? NULL : bsearch(&probe, sorted, n, sizeof sorted[0], compare);

    return found == NULL ? NULL : *found;
}

const struct directory_entry *directory_by_transport(const struct directory *directory,
                                                     const uint8_t key[static X25519_KEY_SIZE], int64_t now)
{
    struct directory_entry probe = {0};

    memcpy(probe.transport, key, sizeof probe.transport);
    const struct directory_entry *entry =
        find(directory->by_transport, directory->n_transport, &probe, compare_transports);
    return directory_usable(entry, now) ? entry : NULL;
}

const struct directory_entry *directory_by_certificate(const struct directory *directory,
                                                       const uint8_t digest[static DIGEST_SIZE])
{
    struct directory_entry probe = {0};

    memcpy(probe.digest, digest, sizeof probe.digest);
    return find(directory->by_digest, directory->n, &probe, compare_digests);
}

const struct directory_entry *directory_with_role(const struct directory *directory, enum role role,
                                                  int64_t now)
{
    const struct directory_entry *entry = directory_next(directory, NULL, now);

    while (entry != NULL && entry->role != role)
        entry = directory_next(directory, entry, now);
    return entry;
}

const struct directory_entry *directory_next(const struct directory *directory,
                                             const struct directory_entry *after, int64_t now)
{
    size_t place = after == NULL ? 0 : member_place_of(directory, after->member, true);

    while (place < directory->n) {
        const char *member = directory->by_member[place]->member;
        const struct directory_entry *entry = directory_by_member(directory, member, now);
        if (entry != NULL)
            return entry;
        place = member_place_of(directory, member, true);
    }
    return NULL;
}

size_t directory_size(const struct directory *directory)
{
    return directory->n;
}

const struct directory_entry *directory_at(const struct directory *directory, size_t index)
{
    return index < directory->n ? &directory->slots[index].entry : NULL;
}

static char *copy_text(struct byte_view text)
{
    char *copy = malloc(text.size + 1);

    if (copy != NULL) {
        if (text.size > 0)
            memcpy(copy, text.data, text.size);
        copy[text.size] = 0;
    }
    return copy;
}

/* Everything of a slot but its certificate, which is taken over at the end. */
static enum status fill_slot(struct slot *slot, const struct certificate *certificate)
{
    const struct certificate_claims *claims = &certificate->claims;
    struct directory_entry *entry = &slot->entry;

    slot->member_class = copy_text(member_class(bytes_of_string(claims->member)));
    slot->why_revoked = copy_text(bytes_view(NULL, 0));
    if (slot->member_class == NULL || slot->why_revoked == NULL)
        return STATUS_NO_MEMORY;
    *entry = (struct directory_entry){
        .member = claims->member,
        .member_class = slot->member_class,
        .role = claims->role,
        .certificate = bytes_buffer_view(&certificate->der),
        .vkey = claims->vkey,
        .not_before = certificate->not_before,
        .not_after = certificate->not_after,
        .revoked_at = DIRECTORY_NEVER,
        .why_revoked = slot->why_revoked,
    };
    memcpy(entry->digest, certificate->digest, sizeof entry->digest);
    memcpy(entry->transport, claims->transport, sizeof entry->transport);
    memcpy(entry->sealing, claims->sealing, sizeof entry->sealing);
    memcpy(entry->sealing_id, certificate->sealing_id, sizeof entry->sealing_id);
    enum status status = ed25519_public(claims->signing, &slot->key);
    entry->signing = slot->key;
    return status;
}

/* Allocates and fills the three sorted lists. */
static enum status sort(struct directory *directory)
{
    size_t room = directory->n > 0 ? directory->n : 1;

    directory->by_member = calloc(room, sizeof directory->by_member[0]);
    directory->by_transport = calloc(room, sizeof directory->by_transport[0]);
    directory->by_digest = calloc(room, sizeof directory->by_digest[0]);
    if (directory->by_member == NULL || directory->by_transport == NULL || directory->by_digest == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < directory->n; i++) {
        const struct directory_entry *entry = &directory->slots[i].entry;
        directory->by_member[i] = entry;
        directory->by_digest[i] = entry;
        if (claims_has_transport(entry->role))
            directory->by_transport[directory->n_transport++] = entry;
    }
    qsort(directory->by_member, directory->n, sizeof directory->by_member[0], compare_members);
    qsort(directory->by_transport, directory->n_transport, sizeof directory->by_transport[0],
          compare_transports);
    qsort(directory->by_digest, directory->n, sizeof directory->by_digest[0], compare_digests);
    return STATUS_OK;
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, ED25519_PUBLIC_SIZE);
}

/* Whether signing, transport and sealing keys of all certificates are all different, whatever their use. A
 * log key goes on through renewals and may come again. */
static enum status check_keys(const struct directory *directory)
{
    uint8_t(*keys)[ED25519_PUBLIC_SIZE] = calloc(3 * directory->n + 1, sizeof keys[0]);
    size_t n = 0;
    enum status status = STATUS_OK;

    if (keys == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < directory->n; i++) {
        const struct directory_entry *entry = &directory->slots[i].entry;
        ed25519_public_bytes(entry->signing, keys[n++]);
        if (!claims_has_transport(entry->role))
            continue;
        memcpy(keys[n++], entry->transport, sizeof keys[0]);
        memcpy(keys[n++], entry->sealing, sizeof keys[0]);
    }
    qsort(keys, n, sizeof keys[0], compare_keys);
    for (size_t i = 1; i < n; i++) {
        if (compare_keys(keys[i - 1], keys[i]) == 0)
            status = STATUS_BAD_CERTIFICATE;
    }
    free(keys);
    return status;
}

static enum status revoke(struct directory *directory, const struct directory_revocation *revocation)
{
    const struct directory_entry *found = directory_by_certificate(directory, revocation->certificate);

    if (found == NULL || found->revoked_at != DIRECTORY_NEVER)
        return STATUS_BAD_CERTIFICATE;
    struct slot *slot = &directory->slots[(const struct slot *)(const void *)found - directory->slots];
    char *why = copy_text(revocation->why);
    if (why == NULL)
        return STATUS_NO_MEMORY;
    free(slot->why_revoked);
    slot->why_revoked = why;
    slot->entry.why_revoked = why;
    slot->entry.revoked_at = revocation->at;
    return STATUS_OK;
}

/* Whether all certificates of a member say the same role. */
static enum status check_roles(const struct directory *directory)
{
    for (size_t i = 1; i < directory->n; i++) {
        const struct directory_entry *left = directory->by_member[i - 1];
        const struct directory_entry *right = directory->by_member[i];
        if (strcmp(left->member, right->member) == 0 && left->role != right->role)
            return STATUS_BAD_CERTIFICATE;
    }
    return STATUS_OK;
}

enum status directory_build(struct certificate **certificates, size_t n,
                            const struct directory_revocation *revocations, size_t n_revocations,
                            struct directory **ret)
{
    enum status status = STATUS_NO_MEMORY;
    struct directory *directory = calloc(1, sizeof *directory);

    if (directory == NULL)
        return STATUS_NO_MEMORY;
    directory->slots = calloc(n > 0 ? n : 1, sizeof directory->slots[0]);
    if (directory->slots == NULL)
        goto out;
    directory->n = n;
    status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < n; i++)
        status = fill_slot(&directory->slots[i], certificates[i]);
    if (status == STATUS_OK)
        status = sort(directory);
    if (status == STATUS_OK)
        status = check_keys(directory);
    if (status == STATUS_OK)
        status = check_roles(directory);
    for (size_t i = 0; status == STATUS_OK && i < n_revocations; i++)
        status = revoke(directory, &revocations[i]);
    if (status != STATUS_OK)
        goto out;
    for (size_t i = 0; i < n; i++) {
        directory->slots[i].certificate = certificates[i];
        certificates[i] = NULL;
    }
    *ret = directory;
    directory = NULL;
out:
    directory_free(&directory);
    return status == STATUS_BAD_FORMAT ? STATUS_BAD_CERTIFICATE : status;
}

void directory_free(struct directory **directory)
{
    if (directory == NULL || *directory == NULL)
        return;
    for (size_t i = 0; (*directory)->slots != NULL && i < (*directory)->n; i++) {
        struct slot *slot = &(*directory)->slots[i];
        ed25519_free(&slot->key);
        free(slot->member_class);
        free(slot->why_revoked);
        certificate_free(&slot->certificate);
    }
    free((*directory)->slots);
    free((*directory)->by_member);
    free((*directory)->by_transport);
    free((*directory)->by_digest);
    free(*directory);
    *directory = NULL;
}
