#include "agent/doctor.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/outbox.h"
#include "agent/trial.h"
#include "base/civil.h"
#include "base/safefile.h"

#define HOUR_MS           ((int64_t)60 * 60 * 1000)
#define EXPIRY_WARNING_MS (28 * CIVIL_DAY_MS) /* of our certificate: renewing takes the board a while */
#define BUNDLE_WARNING_MS (21 * CIVIL_DAY_MS)
#define SKEW_WARNING_MS   ((int64_t)30 * 1000)
#define SKEW_BAD_MS       ((int64_t)5 * 60 * 1000) /* grounds dated further ahead are refused (agent/facts.c) */
#define DISK_BAD          ((uint64_t)64 << 20)
#define DISK_WARNING      ((uint64_t)512 << 20)
#define UNSENT_WARNING_MS HOUR_MS
#define UNSENT_BAD_MS     (24 * HOUR_MS)
#define UNCOLLECTED_MS    (72 * HOUR_MS)
#define TEXT_SIZE         512

struct examination {
    struct agent *agent;
    const struct doctor_link *link;
    int64_t now;
    json_t *findings;
    enum doctor_level worst;
    enum status status; /* the first failure of ours */
};

static const char *const levels[] = {
#define DOCTOR_TEXT(symbol, text) text,
    DOCTOR_LEVELS(DOCTOR_TEXT)
#undef DOCTOR_TEXT
};

/* remedy NULL: nothing to do. */
static void find(struct examination *self, const char *check, enum doctor_level level, const char *remedy,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void find(struct examination *self, const char *check, enum doctor_level level, const char *remedy,
                 const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (level > self->worst)
        self->worst = level;
    if (json_array_append_new(self->findings, json_pack("{s:s, s:s, s:s, s:s?}", "check", check, "level",
                                                        levels[level], "text", text, "remedy", remedy)) != 0)
        self->status = STATUS_NO_MEMORY;
}

static const char *time_text(int64_t time, char out[static CIVIL_TIME_SIZE])
{
    civil_format_time(time, out);
    return out;
}

/* ---- the folder ---- */

/* One file or folder of ours: nobody else's, and for nobody else. */
static bool is_private(struct examination *self, const char *name)
{
    char path[PATH_MAX];
    struct stat about;

    if (snprintf(path, sizeof path, "%s/%s", self->agent->folder, name) >= (int)sizeof path ||
        lstat(path, &about) != 0) {
        if (errno == ENOENT)
            return true;
        find(self, "folder", DOCTOR_BAD, "see that the agent's user may read its folder", "%s: %s", name,
             strerror(errno));
        return false;
    }
    if (about.st_uid != geteuid()) {
        find(self, "folder", DOCTOR_BAD, "give it to the agent's user (chown)",
             "%s belongs to another user than the one that the agent runs as", name);
        return false;
    }
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0 && !S_ISLNK(about.st_mode)) {
        find(self, "folder", DOCTOR_BAD, "take the rights away: chmod go-rwx",
             "%s may be reached by others than the agent's user (mode %04o)", name,
             (unsigned)about.st_mode & 07777U);
        return false;
    }
    return true;
}

static void check_folder(struct examination *self)
{
    static const char *const names[] = {"",
                                        "keys",
                                        "agent.db",
                                        "agent.db-wal",
                                        "bundles",
                                        "bundle.floor",
                                        "feeds",
                                        "keys/current.key",
                                        "keys/next.key",
                                        "keys/previous.key",
                                        "keys/storage.key"};
    bool good = true;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        good = is_private(self, names[i]) && good;
    if (good)
        find(self, "folder", DOCTOR_GOOD, NULL, "%s belongs to the agent's user alone", self->agent->folder);
}

static void check_disk(struct examination *self)
{
    uint64_t bytes = 0;
    const enum status status = safefile_free_space(self->agent->folder, &bytes);
    const unsigned long long mib = (unsigned long long)(bytes >> 20);

    if (status != STATUS_OK)
        find(self, "disk", DOCTOR_BAD, "look at the disk", "the free space is not known: %s",
             status_text(status));
    else if (bytes < DISK_BAD)
        find(self, "disk", DOCTOR_BAD, "make room: the agent takes nothing in when the disk is full",
             "%llu MiB are free", mib);
    else if (bytes < DISK_WARNING)
        find(self, "disk", DOCTOR_WARNING, "make room before it is full", "%llu MiB are free", mib);
    else
        find(self, "disk", DOCTOR_GOOD, NULL, "%llu MiB are free", mib);
}

/* ---- keys, certificate, bundle, protocols ---- */

static const char join[] = "get the newest bundle from the board: concordat-agent join --dir D --bundle F "
                           "--fingerprint HEX";

static void check_keys(struct examination *self)
{
    struct bundle_reason reason = {{0}};
    enum keystore_match match;
    const struct agent *agent = self->agent;

    if (bundle_own_keys(agent->membership->bundle, agent->keystore, self->now, &match, &reason) == STATUS_OK)
        find(self, "keys", DOCTOR_GOOD, NULL, "our keys are those of our certificate in the bundle");
    else
        find(self, "keys", DOCTOR_BAD,
             "send the board a new request (concordat-agent renew), or restore the folder's own keys",
             "our keys and our certificate do not match: %s", reason.text);
}

static void check_certificate(struct examination *self)
{
    static const char renew[] = "concordat-agent renew --dir D, and send the request to the board";
    const struct agent *agent = self->agent;
    const struct directory_entry *us =
        directory_by_member(agent->membership->directory, agent->settings.member, self->now);
    char until[CIVIL_TIME_SIZE];

    if (us == NULL)
        find(self, "certificate", DOCTOR_BAD, renew, "%s has no certificate in force",
             agent->settings.member);
    else if (us->not_after - self->now < EXPIRY_WARNING_MS)
        find(self, "certificate", DOCTOR_WARNING, renew, "our certificate ends on %.10s",
             time_text(us->not_after, until));
    else
        find(self, "certificate", DOCTOR_GOOD, NULL, "our certificate is good until %.10s",
             time_text(us->not_after, until));
}

static void check_bundle(struct examination *self)
{
    const struct agent *agent = self->agent;
    const struct bundle *bundle = agent->membership->bundle;
    const unsigned long long serial = (unsigned long long)bundle_serial(bundle);
    char until[CIVIL_TIME_SIZE];

    (void)time_text(bundle_not_after(bundle), until);
    if (!agent_sealing(agent))
        find(self, "bundle", DOCTOR_BAD,
             "it is fetched from the broker by itself; if that does not happen, join with its file",
             "bundle %llu is known and not here: until it is, nothing is sealed",
             (unsigned long long)agent->newer_serial);
    else if (self->now >= bundle_not_after(bundle))
        find(self, "bundle", DOCTOR_BAD, join,
             "bundle %llu ended on %.10s: only removals and the like go out", serial, until);
    else if (bundle_not_after(bundle) - self->now < BUNDLE_WARNING_MS)
        find(self, "bundle", DOCTOR_WARNING,
             "ask the board for the next one; the broker hands it out by itself", "bundle %llu ends on %.10s",
             serial, until);
    else
        find(self, "bundle", DOCTOR_GOOD, NULL, "bundle %llu is good until %.10s", serial, until);
}

static void check_one_protocol(struct examination *self, const struct protocol *protocol)
{
    char date[CIVIL_DATE_SIZE];
    char from[CIVIL_TIME_SIZE];

    civil_format_date(protocol->review, date);
    if (self->now < protocol->in_force_from)
        find(self, "protocol", DOCTOR_WARNING, "wait, or ask the board", "%s comes into force on %.10s",
             protocol->id, time_text(protocol->in_force_from, from));
    else if (self->now >= protocol->in_force_until)
        find(self, "protocol", DOCTOR_BAD, "ask the board for the next version, signed",
             "%s ended on %.10s: everything under it is refused", protocol->id,
             time_text(protocol->in_force_until - 1, from));
    else if (civil_day_of(self->now) > protocol->review)
        find(self, "protocol", DOCTOR_WARNING, "remind the board", "the review of %s was due on %s",
             protocol->id, date);
    else
        find(self, "protocol", DOCTOR_GOOD, NULL, "%s version %u is in force until %.10s", protocol->id,
             protocol->version, time_text(protocol->in_force_until - 1, from));
}

static void check_protocols(struct examination *self)
{
    const struct membership *membership = self->agent->membership;
    const struct byte_view us = bytes_of_string(self->agent->settings.member);
    size_t ours = 0;

    for (size_t i = 0; i < membership->protocol_count; i++) {
        if (protocol_find_party(membership->protocols[i], us) == PROTOCOL_NONE)
            continue;
        check_one_protocol(self, membership->protocols[i]);
        ours++;
    }
    if (ours == 0)
        find(self, "protocol", DOCTOR_BAD, "ask the board", "no protocol in the bundle names us as a party");
}

/* ---- the broker ---- */

static void check_broker(struct examination *self)
{
    if (!self->link->running)
        find(self, "broker", DOCTOR_WARNING, "start the agent and ask again",
             "whether the broker at %s can be reached is not known", self->agent->settings.broker);
    else if (self->link->connected)
        find(self, "broker", DOCTOR_GOOD, NULL, "%s answers, and proved its key",
             self->agent->settings.broker);
    else
        find(self, "broker", DOCTOR_BAD, "see docs/agent.md, \"Failures\"; events wait meanwhile", "%s: %s",
             self->agent->settings.broker,
             self->link->trouble != NULL ? self->link->trouble : "no answer yet");
}

static void check_clock(struct examination *self)
{
    const int64_t skew = self->link->skew < 0 ? -self->link->skew : self->link->skew;
    const char *side = self->link->skew < 0 ? "behind" : "ahead of";

    if (!self->link->has_skew)
        find(self, "clock", DOCTOR_WARNING, "connect to the broker and ask again",
             "the broker's clock is not known");
    else if (skew >= SKEW_WARNING_MS)
        find(self, "clock", skew >= SKEW_BAD_MS ? DOCTOR_BAD : DOCTOR_WARNING,
             "see that both machines keep time (NTP)", "the broker's clock is %lld s %s ours",
             (long long)(skew / 1000), side);
    else
        find(self, "clock", DOCTOR_GOOD, NULL, "our clock and the broker's agree within %lld ms",
             (long long)skew);
}

/* ---- the queue ---- */

/* How many events are in one of two states since before `before`, and since when the oldest is. */
static enum status waiting(struct examination *self, enum outbox_state a, enum outbox_state b, int64_t before,
                           int64_t *ret_count, int64_t *ret_oldest)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(self->agent->db,
                                      "SELECT count(*), ifnull(min(created), 0) FROM outbox WHERE"
                                      " (state = ? OR state = ?) AND created <= ?",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, a);
    db_bind_int64(statement, 2, b);
    db_bind_int64(statement, 3, before);
    status = db_step(statement, &row);
    if (status == STATUS_OK && row) {
        *ret_count = db_column_int64(statement, 0);
        *ret_oldest = db_column_int64(statement, 1);
    }
    db_reset(statement);
    return status;
}

static void check_queue(struct examination *self)
{
    int64_t unsent = 0;
    int64_t uncollected = 0;
    int64_t oldest = 0;
    int64_t ignored = 0;
    char since[CIVIL_TIME_SIZE];
    enum status status =
        waiting(self, OUTBOX_QUEUED, OUTBOX_SEALED, self->now - UNSENT_WARNING_MS, &unsent, &oldest);

    if (status == STATUS_OK)
        status = waiting(self, OUTBOX_ACCEPTED, OUTBOX_ACCEPTED, self->now - UNCOLLECTED_MS, &uncollected,
                         &ignored);
    if (status != STATUS_OK) {
        self->status = status;
        return;
    }
    if (unsent > 0)
        find(self, "queue", oldest <= self->now - UNSENT_BAD_MS ? DOCTOR_BAD : DOCTOR_WARNING,
             "mend what is said of the broker or the bundle; concordat show ID says why an event waits",
             "%lld events have not left, the oldest since %.16s", (long long)unsent,
             time_text(oldest, since));
    if (uncollected > 0)
        find(self, "queue", DOCTOR_WARNING, "ring the recipients: concordat status lists them (outstanding)",
             "%lld events were accepted three days ago or earlier and have not reached everybody",
             (long long)uncollected);
    if (unsent == 0 && uncollected == 0)
        find(self, "queue", DOCTOR_GOOD, NULL, "nothing has waited for longer than an hour");
}

/* Entries of ours that the broker's log should have and has not proved. */
static void check_log(struct examination *self)
{
    struct db_statement *statement = NULL;
    int64_t overdue = 0;
    bool row = false;
    enum status status = db_statement(
        self->agent->db, "SELECT count(*) FROM proof_due WHERE proved = 0 AND since < ?", &statement);

    if (status == STATUS_OK) {
        db_bind_int64(statement, 1, self->now - (int64_t)self->agent->settings.proof_hours * 60 * 60 * 1000);
        status = db_step(statement, &row);
    }
    if (status != STATUS_OK) {
        self->status = status;
        return;
    }
    if (row)
        overdue = db_column_int64(statement, 0);
    db_reset(statement);
    if (overdue > 0)
        find(self, "log", DOCTOR_BAD,
             "tell the data protection officer; concordat status has more (incidents)",
             "%lld events have no log proof after %u hours", (long long)overdue,
             (unsigned)self->agent->settings.proof_hours);
    else
        find(self, "log", DOCTOR_GOOD, NULL, "the broker owes no log proof for longer than it may");
}

/* ---- the trial ---- */

static void check_trial(struct examination *self)
{
    const struct membership *membership = self->agent->membership;
    struct agent_reason reason = {{0}};
    const char *type = NULL;
    enum status status = STATUS_REFUSED;

    (void)snprintf(reason.text, sizeof reason.text, "the bundle holds no protocol");
    for (size_t i = 0; i < membership->protocol_count && status == STATUS_REFUSED; i++)
        status = trial_run(self->agent, membership->protocols[i], self->now, &type, &reason);
    if (status == STATUS_OK)
        find(self, "trial", DOCTOR_GOOD, NULL,
             "a trial %s was sealed, signed, verified and opened here; nothing was sent", type);
    else if (status == STATUS_REFUSED)
        find(self, "trial", DOCTOR_BAD, "mend what is said of keys, certificate and protocol", "%s",
             reason.text);
    else
        self->status = status;
}

enum status doctor_examine(struct agent *agent, const struct doctor_link *link, int64_t now, json_t **ret)
{
    static void (*const of_membership[])(struct examination *) = {check_keys, check_certificate, check_bundle,
                                                                  check_protocols, check_trial};
    static void (*const always[])(struct examination *) = {check_folder, check_disk,  check_broker,
                                                           check_clock,  check_queue, check_log};
    struct examination self = {.agent = agent, .link = link, .now = now, .findings = json_array()};
    json_t *whole = NULL;

    if (self.findings == NULL)
        return STATUS_NO_MEMORY;
    if (link->running)
        find(&self, "agent", DOCTOR_GOOD, NULL, "the agent of %s runs", agent->settings.member);
    else
        find(&self, "agent", DOCTOR_BAD, "concordat-agent run --dir D", "no agent runs on %s", agent->folder);
    if (agent->membership == NULL)
        find(&self, "bundle", DOCTOR_BAD, join, "we have not joined: there is no bundle here");
    for (size_t i = 0; agent->membership != NULL && i < sizeof of_membership / sizeof of_membership[0]; i++)
        of_membership[i](&self);
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        always[i](&self);
    whole = json_pack("{s:s, s:O}", "worst", levels[self.worst], "findings", self.findings);
    json_decref(self.findings);
    if (whole == NULL)
        return STATUS_NO_MEMORY;
    if (self.status != STATUS_OK) {
        json_decref(whole);
        return self.status;
    }
    *ret = whole;
    return STATUS_OK;
}
