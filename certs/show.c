#include "certs/show.h"

#include <inttypes.h>
#include <string.h>

#include "base/civil.h"
#include "certs/claims.h"

static void hex_line(struct byte_buffer *out, const char *word, const uint8_t key[static DIGEST_SIZE])
{
    char hex[2 * DIGEST_SIZE + 1];

    bytes_to_hex(key, DIGEST_SIZE, hex);
    bytes_append_format(out, "%s: %s\n", word, hex);
}

static void time_line(struct byte_buffer *out, const char *word, int64_t time)
{
    char text[CIVIL_TIME_SIZE];

    civil_format_time(time, text);
    bytes_append_format(out, "%s: %s\n", word, text);
}

/* One certificate of a list: id, role, state, the days of its validity, digest. */
static void member_line(struct byte_buffer *out, const char *member, enum role role,
                        enum directory_state state, int64_t not_before, int64_t not_after,
                        const uint8_t digest[static DIGEST_SIZE])
{
    char from[CIVIL_DATE_SIZE];
    char to[CIVIL_DATE_SIZE];
    char hex[2 * DIGEST_SIZE + 1];

    civil_format_date(civil_day_of(not_before), from);
    civil_format_date(civil_day_of(not_after), to);
    bytes_to_hex(digest, DIGEST_SIZE, hex);
    bytes_append_format(out, "  %-28s %-9s %-13s %s to %s  %s\n", member, role_text(role),
                        directory_state_text(state), from, to, hex);
}

void show_fingerprint(const uint8_t digest[static DIGEST_SIZE], struct byte_buffer *out)
{
    hex_line(out, "fingerprint", digest);
}

void show_certificate(const struct certificate *certificate, struct byte_buffer *out)
{
    const struct certificate_claims *claims = &certificate->claims;

    bytes_append_format(out, "member: %s\nrole: %s\n", claims->member, role_text(claims->role));
    hex_line(out, "certificate", certificate->digest);
    hex_line(out, "signing key", claims->signing);
    if (claims_has_transport(claims->role)) {
        hex_line(out, "transport key", claims->transport);
        hex_line(out, "sealing key", claims->sealing);
    }
    if (claims->vkey[0] != 0)
        bytes_append_format(out, "log: %s\n", claims->vkey);
    time_line(out, "valid until", certificate->not_after);
}

static enum directory_state state_of(const struct authority_certificate *entry, int64_t now)
{
    if (entry->revoked)
        return DIRECTORY_REVOKED;
    if (now < entry->certificate->not_before)
        return DIRECTORY_NOT_YET;
    return now > entry->certificate->not_after ? DIRECTORY_EXPIRED : DIRECTORY_IN_FORCE;
}

static void show_notes(struct byte_buffer *out, const char *word, const struct authority_notes *notes)
{
    if (notes->n > 0)
        bytes_append_format(out, "%s:\n", word);
    for (size_t i = 0; i < notes->n; i++)
        bytes_append_format(out, "  %-28s %s\n", notes->items[i].member, notes->items[i].text);
}

void show_authority(const struct authority *authority, int64_t now, struct byte_buffer *out)
{
    const struct authority_state *state = authority_state(authority);

    bytes_append_format(out, "partnership: %s\ndemo: %s\n", state->name, state->demo ? "yes" : "no");
    show_fingerprint(authority_fingerprint(authority), out);
    bytes_append_format(out, "serial: %" PRIu64 "\n", state->serial);
    bytes_append_format(out, "authorities that must sign: %" PRIu32 "\n", state->quorum);
    bytes_append_format(out, "pseudonym epoch: %" PRIu32 "%s\n", state->epochs[state->n_epochs - 1].epoch,
                        state->epoch_due ? " (a new one begins with the next bundle)" : "");
    bytes_append_string(out, "members:\n");
    for (size_t i = 0; i < state->n_certificates; i++) {
        const struct authority_certificate *entry = &state->certificates[i];
        const struct certificate *certificate = entry->certificate;
        member_line(out, certificate->claims.member, certificate->claims.role, state_of(entry, now),
                    certificate->not_before, certificate->not_after, certificate->digest);
    }
    if (state->witnesses.n > 0)
        bytes_append_format(out,
                            "witnesses that must cosign: %" PRIu32 ", of whom %" PRIu32 " may be dishonest\n",
                            state->witness_quorum, state->witness_dishonest);
    show_notes(out, "witnesses", &state->witnesses);
    show_notes(out, "duty contacts", &state->contacts);
}

static const char *validity_text(enum bundle_state state)
{
    static const char *const texts[] = {
        [BUNDLE_NOT_YET] = "not valid yet",
        [BUNDLE_IN_FORCE] = "in force",
        [BUNDLE_EXPIRING] = "in force",
        [BUNDLE_EXPIRED] = "expired",
    };

    return texts[state];
}

static void show_lists(const struct bundle *bundle, int64_t now, struct byte_buffer *out)
{
    const struct directory *directory = bundle_directory(bundle);

    bytes_append_string(out, "protocols:\n");
    for (size_t i = 0; i < bundle_protocol_count(bundle); i++) {
        uint8_t digest[DIGEST_SIZE];
        char hex[2 * DIGEST_SIZE + 1];
        digest_sha256(bundle_protocol(bundle, i), digest);
        bytes_to_hex(digest, sizeof digest, hex);
        bytes_append_format(out, "  %-28s %s\n", bundle_protocol_id(bundle, i), hex);
    }
    bytes_append_string(out, "members:\n");
    for (size_t i = 0; i < directory_size(directory); i++) {
        const struct directory_entry *entry = directory_at(directory, i);
        member_line(out, entry->member, entry->role, directory_state_at(entry, now), entry->not_before,
                    entry->not_after, entry->digest);
    }
    if (bundle_witness_count(bundle) > 0)
        bytes_append_format(out,
                            "witnesses, of which %" PRIu32 " must cosign and %" PRIu32 " may be dishonest:\n",
                            bundle_witness_quorum(bundle), bundle_witness_dishonest(bundle));
    for (size_t i = 0; i < bundle_witness_count(bundle); i++)
        bytes_append_format(out, "  %-28s %s\n", bundle_witness_member(bundle, i),
                            bundle_witness_vkey(bundle, i));
    if (bundle_officers_revoked(bundle) > 0)
        bytes_append_format(out, "revoked officers and intermediates: %zu\n",
                            bundle_officers_revoked(bundle));
}

void show_bundle(const struct bundle *bundle, int64_t now, struct byte_buffer *out)
{
    uint8_t digest[DIGEST_SIZE];

    bytes_append_format(out, "partnership: %s\ndemo: %s\n", bundle_name(bundle),
                        bundle_demo(bundle) ? "yes" : "no");
    show_fingerprint(bundle_root_digest(bundle), out);
    bytes_append_format(out, "serial: %" PRIu64 "\n", bundle_serial(bundle));
    hex_line(out, "head", bundle_head_digest(bundle));
    bytes_append_format(out, "signatures: %zu of %" PRIu32 " needed\n", bundle_signers(bundle),
                        bundle_quorum(bundle));
    bytes_append_format(out, "state: %s\n", validity_text(bundle_state(bundle, now, 0)));
    time_line(out, "valid from", bundle_not_before(bundle));
    time_line(out, "valid until", bundle_not_after(bundle));
    bytes_append_format(out, "log: %s\n", bundle_log_vkey(bundle));
    digest_sha256(bundle_catalogue(bundle), digest);
    hex_line(out, "catalogue", digest);
    show_lists(bundle, now, out);
}
